"""``pictures.json``, a pack's list of what it holds. Knows the list, not the pixels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from renderer.errors import SettingsError

LIST = "pictures.json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Packed:
    """A picture in a pack; the words are those of ``catalogue.Picture``."""

    file: str
    """Its name in the pack's folder."""
    kind: str
    framing: str
    held_out: bool
    width: int
    """Pixels."""
    height: int
    subject: str
    source: str
    credit: str
    licence: str


def list_text(rows: Sequence[Packed]) -> str:
    """The list as it is written."""
    held = {"version": VERSION, "pictures": [asdict(row) for row in rows]}
    return json.dumps(held, indent=1, ensure_ascii=False) + "\n"


def read_list(folder: Path) -> list[Packed]:
    """What the pack in ``folder`` holds. Raises SettingsError when it is none."""
    path = folder / LIST
    try:
        held = json.loads(path.read_text("utf-8"))
        if held["version"] != VERSION:
            raise SettingsError(f"{path} is of another version: make the pack anew")
        rows = [
            Packed(**{field.name: row[field.name] for field in fields(Packed)})
            for row in held["pictures"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{folder} is no pack, make one by training.pack: {error}") from error
    for row in rows:
        if Path(row.file).name != row.file:
            raise SettingsError(f"{path} names {row.file!r}, which is no file of the pack")
    return rows
