"""What a form is made of, as plain text by field: shared by the new render's and the export's.

Its fields are rows of settings (``renderer.settings.option``). Pure: knows neither Textual nor
files, nor what any field is for.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from renderer.errors import RendererError
from renderer.settings.option import NOTATION, YES_NO, Option
from renderer.settings.plain_values import NONE, dimensions, from_text

Texts = Mapping[str, str]
"""What stands in each field, by its key."""


class FieldError(Exception):
    """A field can't be used as it stands; the message says why, in one line."""

    def __init__(self, key: str, message: str) -> None:
        """``key``: empty where no field is to blame."""
        super().__init__(message)
        self.key = key


@dataclass(frozen=True, slots=True)
class Field:
    """One field. Its key is the engine's own name for it where it has one."""

    key: str
    row: Option

    @property
    def choices(self) -> tuple[str, ...]:
        """Texts that are worth offering; others may be allowed too."""
        return self.row.offered

    @property
    def option(self) -> str:
        """The option of the verb that says the same."""
        return self.row.option(self.key)

    @property
    def place(self) -> tuple[str, int]:
        """Its group, and the row there."""
        assert self.row.row is not None
        return self.row.row

    def meaning(self, text: str) -> Any:
        """What the text, which is not empty, means. Raises FieldError."""
        kind = self.row.kind
        try:
            return from_text(kind, text)
        except ValueError:
            raise FieldError(self.key, f"{text[:40]!r} is not {NOTATION[kind]}") from None

    def words(self, text: str) -> list[str]:
        """The words of a command line that say the same."""
        match self.row.kind:
            case "flag" if text in YES_NO:
                return [self.option][: text == "yes"]
            case "switch" if text in YES_NO:
                return [self.option if text == "yes" else "--no-" + self.option.removeprefix("--")]
            case "words" | "pairs":
                return [word for each in _split(text) for word in _given(self.option, each)]
        return _given(self.option, text)


class Fields(dict[str, Field]):
    """By their keys, in the order in which they stand in the form."""

    def __init__(
        self,
        options: Mapping[str, Option],
        groups: Iterable[str] = ("",),
        exact: Container[str] = (),
    ) -> None:
        """Those of ``groups``, one group after the other. ``exact``: keys of fields whose spaces
        count."""
        order = list(groups)
        found = [Field(key, row) for key, row in options.items() if row.row and row.row[0] in order]
        found.sort(key=lambda field: (order.index(field.place[0]), field.place[1]))
        super().__init__({field.key: field for field in found})
        self._exact = exact

    def filled(self, texts: Texts) -> dict[str, str]:
        """The texts that are not empty, as they count: without spaces around them, a path with its
        ~ replaced."""
        counted: dict[str, str] = {}
        for key, field in self.items():
            text = texts.get(key, "") if key in self._exact else texts.get(key, "").strip()
            if field.row.kind == "path":  # quoted in the command line: no shell would expand it
                text = os.path.expanduser(text)  # noqa: PTH111 - an empty text is no path
            counted |= {key: text} if text else {}
        return counted

    def meaning(self, texts: Texts) -> dict[str, Any]:
        """What those that are filled in mean. Raises FieldError."""
        return {key: self[key].meaning(text) for key, text in self.filled(texts).items()}

    def words(self, texts: Texts) -> list[str]:
        """The words of a command line that say the same."""
        filled = self.filled(texts).items()
        return [word for key, text in filled for word in self[key].words(text)]

    def complaint(self, error: Exception) -> FieldError:
        """The error at the field that it blames, if there is one, called by its label."""
        if isinstance(error, RendererError) and error.field in self:
            return FieldError(error.field, error.naming(self[error.field].row.label))
        return FieldError("", str(error))


def as_typed(option: Option, value: Any) -> str:
    """A value as it could stand in its field."""
    if value is None:
        return option.none
    match option.kind:
        case "size":
            return dimensions(value)
        case "number" | "seconds":
            return f"{value:g}"
        case "flag" | "switch":
            return YES_NO[not value]
        case "words":
            return " ".join(value) or NONE
        case "pairs":
            return " ".join(f"{key}={text}" for key, text in value.items()) or NONE
    return str(value)


def all_wrong(check: Callable[[Texts], object], texts: Texts) -> tuple[FieldError, ...]:
    """Everything that ``check`` finds wrong, a field each, in the order of ``texts``.

    ``check`` raises FieldError for what it finds first, and is asked again without the fields that
    it has blamed. An error that no field is to blame for comes last.
    """
    found: dict[str, FieldError] = {}
    while True:
        try:
            check({key: "" if key in found else text for key, text in texts.items()})
        except FieldError as error:
            if error.key in found:
                break
            found[error.key] = error
            if error.key:
                continue
        break
    return tuple(found[key] for key in (*texts, "") if key in found)


def _given(option: str, text: str) -> list[str]:
    """A value that looks like an option stays a value."""
    return [f"{option}={text}"] if text.startswith("-") else [option, text]


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that is not closed yet; the field says so
        return [text]
