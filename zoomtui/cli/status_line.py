"""One line about a render, as the user words it: for tmux, prompts and scripts.

Pure: a format and facts in, text out. A field is a plain name, never an expression: the author of
the format reads what is listed here and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from string import Formatter

from renderer.engine.facts import Facts
from renderer.errors import SettingsError
from renderer.formatting import clean, duration_text, share_text, size_text
from renderer.painting.figures import BESIDE_TIME

UNKNOWN = "?"


def _of(value: float | None, text: Callable[[float], str]) -> str:
    return UNKNOWN if value is None else text(value)


def _figure(name: str) -> Callable[[Facts], str]:
    return lambda facts: _of(getattr(facts.figures, name, None), lambda value: f"{value:.2f}")


def _percent(facts: Facts) -> str:
    return share_text(facts.keyframes / facts.total) if facts.total else UNKNOWN


FIELDS: dict[str, Callable[[Facts], str]] = {
    "name": lambda facts: clean(facts.name),
    "project": lambda facts: clean(facts.project),
    "state": lambda facts: str(facts.state),
    "keyframes": lambda facts: str(facts.keyframes),
    "total": lambda facts: "inf" if facts.total is None else str(facts.total),
    "percent": _percent,
    "frames": lambda facts: str(facts.frames),
    "film": lambda facts: duration_text(facts.seconds),
    "size": lambda facts: size_text(facts.size),
    "pace": lambda facts: _of(facts.pace, duration_text),
    "left": lambda facts: _of(facts.left, duration_text),
    "prompt": lambda facts: clean(facts.prompt),
    **{name: _figure(name) for name in BESIDE_TIME},
}
"""Name → its text."""


def parsed(text: str) -> list[tuple[str, str | None]]:
    """(literal text, field behind it) of a format. Raises SettingsError."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise SettingsError(f"--format: {error}; {{{{ and }}}} stand for the braces") from None
    for _, name, spec, conversion in parts:
        if name is not None and (name not in FIELDS or spec or conversion):
            said = f"{name}{f'!{conversion}' if conversion else ''}{f':{spec}' if spec else ''}"
            raise SettingsError(
                f"--format knows no {clean(f'{{{said}}}')}; the fields are {', '.join(FIELDS)}"
            )
    return [(literal, name) for literal, name, _, _ in parts]


def status_line(parts: list[tuple[str, str | None]], facts: Facts) -> str:
    """What ``parsed`` has made of a format, about that render."""
    return "".join(literal + (FIELDS[name](facts) if name else "") for literal, name in parts)
