"""One row a setting: all that is known of it besides its name, its type and its default.

The check and its message, TOML and JSON, the option of the command line, the form's field, what may
be steered, what needs a new painter: each reads its part of the row. Knows no setting itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any, Literal

Kind = Literal[
    "text", "path", "whole", "number", "seconds", "count", "size", "rate",
    "flag", "switch", "words", "pairs",
]  # fmt: skip
"""How a value is written. ``count``: a whole number or inf; ``size``: WIDTHxHEIGHT; ``rate``: a
fraction; ``flag``: yes or no, where no is the default; ``switch``: yes or no, with an option for
each; ``words``, ``pairs``: several texts with spaces between them, quotes as in a shell."""
NOTATION: Mapping[Kind, str] = {
    "whole": "a whole number",
    "number": "a number",
    "seconds": "a number (of seconds)",
    "count": "a whole number or inf",
    "size": "WIDTHxHEIGHT, such as 1280x720",
    "flag": "yes or no",
    "switch": "yes or no",
    "words": "complete: a quote is not closed",
    "pairs": "KEY=VALUE",
}
"""Ends an error, "… is not a number", about a text that can't be read; other kinds are text."""
METAVARS: Mapping[Kind, str] = {
    "whole": "N",
    "seconds": "S",
    "size": "WxH",
    "rate": "RATE",
    "pairs": "KEY=VALUE",
}
"""What stands for such a value in the command line's help, where the row says nothing else."""
Check = Callable[[str, Any], str | None]
"""``check(name, value)``: one line on what is wrong with it; None: nothing is."""

YES_NO = ("yes", "no")
BUILT_IN = ("texture", "diffusion")
"""Painters that the rows know."""
DIFFUSION = ("diffusion",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """See the module. A setting without ``help`` has no option, one without ``row`` no field."""

    kind: Kind = "text"
    check: Check | None = None
    parse: Callable[[str], Any] | None = None
    """Reads it from text, where ``kind`` does not say how: of ``words``, each of them. Raises
    SettingsError or ValueError."""
    none: str = ""
    """What stands for None in TOML, JSON and the form, where the value may be None."""

    help: str = ""
    """Of the command line's option."""
    metavar: str = ""
    named: str = ""
    """The option, where it is not named after the setting."""
    alone: int | None = None
    """What the option means where no value follows it; None: one must."""
    instead_of: str = ""
    """The setting that it says in another way."""

    label: str = ""
    """Of the form's field, where it is not the setting's name in words."""
    hint: str = ""
    """The form's line of help, where it is not the option's."""
    choices: tuple[str, ...] | Callable[[], tuple[str, ...]] = ()
    """Texts that are worth offering; others may be allowed too. A function, for a table that
    nothing else in the settings needs, is called by the form alone."""
    unset: str = ""
    """What an empty field stands for, where the default's own notation says less."""
    row: tuple[str, int] | None = None
    """The form's group, empty for what is always shown, and the row there."""

    steerable: bool = False
    """May change from a keyframe on; all else is fixed by the film."""
    new_painter: bool = False
    """Another value needs the painter made anew."""
    used_by: tuple[str, ...] = ()
    """The built-in painters that make use of it; empty: all."""
    needed_by: tuple[str, ...] = ()
    """The built-in painters that can't do without a text for it."""
    slows: bool = False
    """How long a keyframe takes may depend on it."""
    provenance: bool = False
    """Goes into each keyframe's provenance."""

    def concerns(self, painter: str) -> bool:
        """Whether that painter makes use of it; a painter from elsewhere may use every setting."""
        return not self.used_by or painter not in BUILT_IN or painter in self.used_by

    def option(self, key: str) -> str:
        """The option of the command line for the setting ``key``."""
        return self.named or "--" + key.replace("_", "-")

    @property
    def user_steerable(self) -> bool:
        """Users may change it while a film is made, and have words for it."""
        return self.steerable and bool(self.label)

    @property
    def offered(self) -> tuple[str, ...]:
        """The texts that the form offers."""
        if self.kind == "flag":
            return YES_NO[::-1]
        return self.choices() if callable(self.choices) else self.choices


_KINDS: Mapping[type[Any], Kind] = {bool: "flag", int: "whole", float: "number", Fraction: "rate"}


def setting(default: Any, *, only: tuple[str | int, ...] = (), **facts: Any) -> Any:
    """A dataclass field for a setting; ``facts`` are ``Option``'s. A default may be a factory.

    ``only``: the values that it may have, which the form then offers. Where no kind is given, the
    default's type says it; where no hint is, it is the help.
    """
    said = {"kind": _KINDS.get(type(default), "text"), "hint": facts.get("help", "")}
    if only:
        said |= {"check": one_of(*only), "choices": tuple(map(str, only))}
    return _field(default, Option(**said | facts))


def setting_like(option: Option, default: Any = None, **other: Any) -> Any:
    """A dataclass field with another setting's row, but for the facts in ``other``."""
    return _field(default, replace(option, **other))


def _field(default: Any, option: Option) -> Any:
    metadata = {"option": option}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def options_of(settings: type[Any]) -> Mapping[str, Option]:
    """Name → row, for each field of a dataclass of settings, in their order."""
    return {each.name: _labelled(each.name, each.metadata["option"]) for each in fields(settings)}


def _labelled(name: str, option: Option) -> Option:
    if option.row is None or option.label:
        return option
    return replace(option, label=name.replace("_", " ").capitalize())


def at_least(least: int, why: str = "") -> Check:
    """A number, or None where that is allowed, from ``least`` on."""

    def check(name: str, value: Any) -> str | None:
        if value is None or value >= least:
            return None
        return f"{name} must be at least {least}{why}, not {value}"

    return check


def between(least: float, most: float, unit: str = "", *, off: bool = False) -> Check:
    """A number from ``least`` to ``most``; ``off``: the least means that nothing is done."""

    def check(name: str, value: Any) -> str | None:
        if value is None or least <= value <= most:
            return None
        word = " (off)" if off else ""
        figure = f"{value:g}" if isinstance(value, float) else value
        return f"{name} must be {least}{word} to {most}{unit}, not {figure}"

    return check


def finite(fits: Callable[[float], bool], words: str) -> Check:
    """A finite number that ``fits``, or None where that is allowed; ``words`` say which do."""

    def check(name: str, value: Any) -> str | None:
        if value is None or (math.isfinite(value) and fits(value)):
            return None
        return f"{name} must be {words}, not {value:g}"

    return check


def one_of(*names: str | int) -> Check:
    """One of these words or numbers, or None where that is allowed."""

    def check(name: str, value: Any) -> str | None:
        if value is None or value in names:
            return None
        return unknown(f"{name.replace('_', ' ')} {value!r}", str(value), set(map(str, names)))

    return check


def text_of_at_most(most: int) -> Check:
    """A text of at most so many bytes in UTF-8."""

    def check(name: str, value: str) -> str | None:
        length = len(value.encode("utf-8", "replace"))
        if length <= most:
            return None
        return f"{name} is {length:,} bytes long; at most {most:,} are kept with every keyframe"

    return check


def not_empty(name: str, value: Any) -> str | None:
    return None if value else f"{name} is empty"


def unknown(what: str, name: str, known: set[str]) -> str:
    """One line for a name that does not exist, with the nearest one that does."""
    import difflib  # for an error alone

    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
    return f"unknown {what}; {hint}"
