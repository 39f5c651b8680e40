"""Many films in one file (``zoomtui queue add --from FILE``): a CSV or TOML table, a film a row.

A column, or key, is an option's name, such as ``prompt``, ``seed`` or ``image``. In TOML a key may
hold a list, of which each value makes a film of its own: two prompts and three seeds are six films.
Knows the names of the options; whether a film can be made of them is seen to by ``prepare``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from renderer.errors import SettingsError
from renderer.formatting import shortened
from renderer.planning.prompt_file import read_text
from renderer.settings.film import BESIDES
from renderer.settings.option import NOTATION, Option, unknown
from renderer.settings.plain_values import from_text, read_toml
from renderer.settings.render import OPTIONS
from renderer.settings.sources import FILES

Film = tuple[str, dict[str, Any]]
"""Where it stands in the file, and what is said of it, by the options' names."""

_SETTINGS: Mapping[str, Option] = {
    name: row for name, row in {**OPTIONS, **BESIDES}.items() if row.help or name == "prompt"
}
_LISTS = ("words", "pairs")
"""Kinds of settings whose values are lists themselves."""


def read_films(file: Path) -> list[Film]:
    """The films that ``file`` lists, one or more. Raises SettingsError."""
    text = read_text(file, "list")
    rows = _csv_rows if file.suffix.lower() == ".csv" else _toml_rows
    films = [(f"{file.name}, {where}", _named(row, file, where)) for where, row in rows(text, file)]
    if not films:
        raise SettingsError(f"{file} lists no films: it needs rows of CSV, or [[film]] in TOML")
    return films


_Said = list[tuple[str, Any]]
"""Names as the file writes them, each with its value."""


def _csv_rows(text: str, file: Path) -> Iterator[tuple[str, _Said]]:
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        for row in reader:
            where = f"line {reader.line_num}"
            if not any(field.strip() for field in row):
                continue
            if len(row) != len(names):
                raise SettingsError(f"{file.name}, {where}: it has not as many fields as line 1")
            said = [(name, field.strip()) for name, field in zip(names, row, strict=True)]
            yield where, [(name, _value(name, text, file, where)) for name, text in said if text]
    except csv.Error as error:
        raise SettingsError(f"{file.name}, line {reader.line_num}: no CSV: {error}") from None


def _value(name: str, text: str, file: Path, where: str) -> Any:
    """What a field of a CSV file says: text, but of settings that are written in another way."""
    row = _SETTINGS.get(name.replace("-", "_"))
    try:
        return text if row is None else from_text(row.kind, text)
    except ValueError:
        said = f"{name}={shortened(text, 40)} is not {NOTATION[row.kind] if row else ''}"
        raise SettingsError(f"{file.name}, {where}: {said}") from None


def _toml_rows(text: str, file: Path) -> Iterator[tuple[str, _Said]]:
    try:
        films = read_toml(text).get("film", [])
    except ValueError as error:
        raise SettingsError(f"{file.name} is no TOML: {error}") from None
    if not isinstance(films, list) or not all(isinstance(film, dict) for film in films):
        raise SettingsError(f"{file.name}: films are written as [[film]]")
    for number, film in enumerate(films, 1):
        kinds = {name: getattr(_SETTINGS.get(name.replace("-", "_")), "kind", "") for name in film}
        choices = [
            value if isinstance(value, list) and kinds[name] not in _LISTS else [value]
            for name, value in film.items()
        ]
        for values in product(*choices):
            yield f"film {number}", list(zip(film, values, strict=True))


def _named(row: _Said, file: Path, where: str) -> dict[str, Any]:
    """``row`` by the settings' own names, its files as they are seen from here."""
    found: dict[str, Any] = {}
    for key, value in row:
        name = key.replace("-", "_")
        if name in FILES:
            value = file.parent / str(value)
        elif name not in _SETTINGS:
            known = {each.replace("_", "-") for each in (*_SETTINGS, *FILES)}
            raise SettingsError(
                f"{file.name}, {where}: {unknown(f'option {shortened(key, 40)!r}', key, known)}"
            )
        if name in found:
            raise SettingsError(f"{file.name}, {where}: {shortened(key, 40)} is said twice")
        found[name] = value
    return found
