"""What a form is made of, as plain text by field: shared by the new render's and the export's.

Its fields are rows of settings (``renderer.settings.option``). Pure: knows neither Textual nor
files, nor what any field is for.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from renderer.errors import RendererError
from renderer.settings.option import NOTATION, YES_NO, Option
from renderer.settings.plain_values import NONE, dimensions, from_text

Texts = Mapping[str, str]
"""What stands in each field, by its key."""
Row = tuple[str, ...]
"""Keys of fields that stand beside each other."""


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


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are folded away under a title until the user wants them."""

    key: str
    title: str
    rows: tuple[Row, ...]


def rows_of(options: Mapping[str, Option], group: str = "") -> tuple[Row, ...]:
    """The keys of a group's fields, row by row."""
    numbers = sorted({row.row[1] for row in options.values() if row.row and row.row[0] == group})
    return tuple(
        tuple(key for key, row in options.items() if row.row == (group, number))
        for number in numbers
    )


def fields_of(options: Mapping[str, Option], groups: Iterable[str] = ("",)) -> tuple[Field, ...]:
    """Their fields, in the order in which they stand in the form."""
    rows = (row for group in groups for row in rows_of(options, group))
    return tuple(Field(key, options[key]) for row in rows for key in row)


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


class FieldError(Exception):
    """A field can't be used as it stands; the message says why, in one line."""

    def __init__(self, key: str, message: str) -> None:
        """``key``: empty where no field is to blame."""
        super().__init__(message)
        self.key = key


def complaint_at(error: Exception, fields: Mapping[str, Field]) -> FieldError:
    """The error at the field that it blames, if there is one, called by its label."""
    if isinstance(error, RendererError) and error.field in fields:
        return FieldError(error.field, error.naming(fields[error.field].row.label))
    return FieldError("", str(error))


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


def counted(field: Field, text: str) -> str:
    """The text as it counts: without spaces around it, a path with its ~ replaced."""
    text = text.strip()
    if field.row.kind == "path":  # quoted in the command line, where no shell would expand it
        return os.path.expanduser(text)  # noqa: PTH111 - an empty text is no path
    return text


def read(field: Field, text: str) -> Any:
    """What ``text`` (as it counts, not empty) means. Raises FieldError."""
    try:
        return from_text(field.row.kind, text)
    except ValueError:
        raise FieldError(field.key, f"{text[:40]!r} is not {NOTATION[field.row.kind]}") from None


def words_of(field: Field, text: str) -> list[str]:
    """The words of a command line that say the same as ``text`` (as it counts, not empty)."""
    match field.row.kind:
        case "flag" if text in YES_NO:
            return [field.option][: text == "yes"]
        case "switch" if text in YES_NO:
            return [field.option if text == "yes" else "--no-" + field.option.removeprefix("--")]
        case "words" | "pairs":
            return [word for each in _split(text) for word in _given(field.option, each)]
    return _given(field.option, text)


def _given(option: str, text: str) -> list[str]:
    """A value that looks like an option stays a value."""
    return [f"{option}={text}"] if text.startswith("-") else [option, text]


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote that is not closed yet; the field says so
        return [text]
