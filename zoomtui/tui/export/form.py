"""The form for an export, as plain text by field: to the verb's arguments, and to complaints.

Pure: knows neither Textual nor processes. An empty field stands for "as the film is". What a text
means is decided by the engine (``renderer.settings.export``); what contradicts the film is found by
the verb itself, run dry (``zoomtui.tui.export.child``).
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from renderer.errors import SettingsError
from renderer.export.containers import CONTAINERS, Target
from renderer.project.records import name_of
from renderer.settings.export import EXPORT_OPTIONS, ExportOptions
from renderer.settings.option import Option
from zoomtui.tui.shared.form_fields import FieldError, Fields, Texts, as_typed

ENDINGS = tuple(dict.fromkeys(container.suffix for container in CONTAINERS))

_ALL: Mapping[str, Option] = {
    "out": Option(
        kind="path",
        label="File",
        hint="Its ending decides what it is; a folder/ is for single pictures.",
        choices=(*ENDINGS, "/"),
        row=("", 0),
    ),
    **EXPORT_OPTIONS,
}
FIELDS = Fields(_ALL)
DEFAULTS: Texts = {
    key: row.unset or as_typed(row, getattr(ExportOptions(), key))
    for key, row in EXPORT_OPTIONS.items()
}
"""What an empty field stands for."""


def free_name(folder: Path, project: Path) -> str:
    """The name of a film that is not in ``folder`` yet, after the project; harmless."""
    stem = re.sub(r"[^\w.,+ -]|^[.-]", "_", name_of(project))
    for number in range(1, 1000):
        name = f"{stem}.mp4" if number == 1 else f"{stem}-{number}.mp4"
        if not (folder / name).exists():
            return name
    return f"{stem}.mp4"


def other_ending(name: str, by: int) -> str:
    """``name`` as another kind of file: the next of the endings, or, after the last, a folder."""
    kinds = FIELDS["out"].choices
    stem, ending = os.path.splitext(name)  # noqa: PTH122 - Path would drop a ./
    if name.endswith("/"):
        stem, ending = name.rstrip("/"), "/"
    elif ending not in kinds:
        return name if ending else name + kinds[0]
    return stem + kinds[(kinds.index(ending) + by) % len(kinds)]


def check(texts: Texts) -> None:
    """Find what is wrong whatever the film is. Raises FieldError at the field that is to blame."""
    given = FIELDS.meaning(texts)
    out = given.pop("out", "")
    if not out:
        raise FieldError("out", "name the file, or a folder/ for pictures")
    try:
        Target.of(out)
        ExportOptions.read(given)
    except SettingsError as error:
        raise FIELDS.complaint(error) from None


def arguments(project: Path, texts: Texts) -> list[str]:
    """What `zoomtui export` is to be given."""
    counted = FIELDS.filled(texts)
    out = counted.pop("out", "")
    return [_operand(os.fspath(project)), _operand(out), *FIELDS.words(counted)]


def command_line(project: Path, texts: Texts) -> str:
    """The same export as a command; can be pasted into any POSIX shell."""
    return shlex.join(["zoomtui", "export", *arguments(project, texts)])


def _operand(text: str) -> str:
    """A path that can't be taken for an option."""
    return f"./{text}" if text.startswith("-") else text
