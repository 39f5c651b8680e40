"""What a project is made from besides its settings, and where: one row each. Loads nothing."""

from __future__ import annotations

from collections.abc import Mapping

from renderer.settings.option import Option

SOURCES: Mapping[str, Option] = {
    "out": Option(
        kind="path",
        help="New project folder; by default named after the prompt, here.",
        metavar="FOLDER",
        label="Folder",
        hint="The new project's; empty: named after the prompt, here.",
        row=("", 10),
    ),
    "image": Option(
        kind="path",
        help="Your own first picture, any size: cropped to fill.",
        metavar="FILE",
        label="First picture",
        hint="A picture of yours to begin with, any size; empty: painted.",
        row=("", 9),
    ),
    "exemplar": Option(
        kind="path",
        help="Picture that the texture painter grows from; by default the first one.",
        metavar="FILE",
        label="Exemplar",
        hint="Picture that the texture painter grows from; empty: the first.",
        row=("painting", 6),
    ),
    "prompts": Option(
        kind="path",
        help="A plan instead of one PROMPT: lines such as `0: a beach`, `12: a coral reef` and "
        "`blend: 4` (see --prompt-blend), counted from 0; TOML; or the JSON that the "
        "infinite-zoom web UI extension exports.",
        metavar="FILE",
        label="Prompt plan",
        hint="A file instead of one prompt: lines such as 0: a beach, counted from 0.",
        row=("painting", 3),
    ),
    "place": Option(
        kind="pairs",
        help="Your own picture for keyframe K, counted from 1: it grows together with what comes "
        "before; repeatable. The last one is the film's exit.",
        metavar="K=FILE",
    ),
}
FILES = tuple(name for name, row in SOURCES.items() if row.kind == "path")
"""What names a file or a folder."""
