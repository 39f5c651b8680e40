"""The fields of the form for a new render, out of the rows of the settings, and where they stand.

Only words and their order; what a text comes to is for ``form``.
"""

from __future__ import annotations

from collections.abc import Mapping

from renderer.settings.film import BESIDES
from renderer.settings.option import Option
from renderer.settings.render import OPTIONS
from zoomtui.tui.shared.form_fields import Group, Texts, fields_of, rows_of

SOURCES: Mapping[str, Option] = {
    "image": Option(
        kind="path",
        label="First picture",
        hint="A picture of yours to begin with, any size; empty: painted.",
        row=("", 9),
    ),
    "folder": Option(
        kind="path",
        named="--out",
        label="Folder",
        hint="The new project's; empty: named after the prompt, here.",
        row=("", 10),
    ),
    "prompts": Option(
        kind="path",
        label="Prompt plan",
        hint="A file instead of one prompt: lines such as 12: a coral reef.",
        row=("painting", 3),
    ),
    "exemplar": Option(
        kind="path",
        label="Exemplar",
        hint="Picture that the texture painter grows from; empty: the first.",
        row=("painting", 6),
    ),
}
"""Fields that name what a project is made from, and where; the rest are RenderSettings'."""

_TITLES = {
    "": "",
    "painting": "Painting",
    "joining": "Joining",
    "encoding": "Encoding",
    "ending": "Ending",
}
"""The groups, in their order; what is in the first is always shown, the rest is folded away."""


_ALL: Mapping[str, Option] = {**OPTIONS, **BESIDES, **SOURCES}
FIELDS = fields_of(_ALL, _TITLES)
BY_KEY = {field.key: field for field in FIELDS}
ROWS = rows_of(_ALL)
GROUPS = tuple(Group(key, title, rows_of(_ALL, key)) for key, title in _TITLES.items() if key)


def unused_by(painter: str) -> tuple[str, ...]:
    """Fields that the painter makes no use of; a prompt names the project all the same."""
    return tuple(key for key in BY_KEY if key != "prompt" and not _ALL[key].concerns(painter))


FILM_PRESETS: Mapping[str, Texts] = {
    "standard": {"size": "", "fps": "", "codec": "", "crf": "", "preset": ""},
    "draft": {"size": "640x360", "fps": "24", "codec": "h264", "crf": "28", "preset": "veryfast"},
    "quality": {"size": "", "fps": "60", "codec": "h264", "crf": "14", "preset": "slow"},
    "small file": {"size": "", "fps": "30", "codec": "av1", "crf": "32", "preset": "6"},
}
"""Looks of the film that fill several fields at once; the size alone affects what is painted."""
