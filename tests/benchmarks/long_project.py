"""Projects of any length, made in seconds: a real film of three keyframes, told to be longer.

Its journal has a correct record for every keyframe and segment that there would be. Of the film
only the header and the last segment are real, which is what opening it reads; between them it is a
hole. All keyframes are one file by many names.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from renderer.journal import Record, read_journal, write_journal
from renderer.project.records import FILM, JOURNAL, keyframe_path
from tests.engine.runs import project, render

FROM_HERE = 3
"""Keyframes that are painted, before it is told to be longer."""
MOST_NAMES = 30_000
"""Of one file; ext4 allows 65,000."""


def make(folder: Path, keyframes: int, *, steered: int = 0, marks: int = 0, takes: int = 0) -> Path:
    """A stopped project of ``keyframes`` keyframes and one segment less.

    ``steered`` times it was steered on the way, ``marks`` keyframes have a note, and of ``takes``
    keyframes the film has the second take; each spread evenly.
    """
    seed = folder.with_name(f"{folder.name}.seed")
    render(project(seed, keyframes=FROM_HERE, prompt="a reef"))
    shutil.copytree(seed, folder)
    toml = folder / "project.toml"
    toml.write_text(toml.read_text().replace(f"keyframes = {FROM_HERE}", 'keyframes = "inf"'))
    records = list(_told(read_journal(seed / JOURNAL), keyframes, steered, marks, takes))
    write_journal(folder / JOURNAL, records)
    _stretch(seed, folder, [each for each in records if each["type"] in ("header", "segment")])
    path = keyframe_path(folder, FROM_HERE - 1)
    for number, record in enumerate(each for each in records if each["type"] == "keyframe"):
        new = keyframe_path(folder, record["keyframe"], record["take"])
        if number % MOST_NAMES == MOST_NAMES - 1:
            path = shutil.copy(path, new)
        elif not new.exists():
            os.link(path, new)
    shutil.rmtree(seed)
    return folder


def _told(
    seed: list[Record], keyframes: int, steered: int, marks: int, takes: int
) -> Iterator[Record]:
    first = next(each for each in seed if each["type"] == "project")
    yield {**first, "settings": {**first["settings"], "keyframes": "inf"}}
    painted = [each for each in seed if each["type"] == "keyframe"]
    header, segment = (
        next(each for each in seed if each["type"] == kind) for kind in ("header", "segment")
    )
    for keyframe in range(keyframes):
        for number in _due(steered, keyframe, keyframes):
            changes = {"prompt": f"a reef, {number}", "guidance_scale": 1.0 + number % 64 / 8}
            yield {"type": "steer", "from_keyframe": keyframe, "changes": changes}
        stored = painted[min(keyframe, FROM_HERE - 1)]
        yield {**stored, "keyframe": keyframe, "at": stored["at"] + keyframe}
        for _ in _due(takes, keyframe, keyframes) if 0 < keyframe < keyframes - 1 else ():
            yield {"type": "rewind", "keyframe": keyframe, "takes": [], "variation": 1,
                   "changes": {}, "film_end": 0}  # fmt: skip
            yield {**stored, "keyframe": keyframe, "take": 2, "variation": 1}
        for number in _due(marks, keyframe, keyframes):
            yield {"type": "mark", "keyframe": keyframe, "take": 1, "note": f"note {number}"}
        if keyframe == 1:
            yield header
        if keyframe:
            yield {
                **segment,
                "index": keyframe - 1,
                "first_frame": segment["frames"] * (keyframe - 1),
                "offset": header["length"] + segment["length"] * (keyframe - 1),
            }


def _due(count: int, keyframe: int, keyframes: int) -> range:
    """Which of ``count`` things, spread over all keyframes, are due at this one."""
    return range(count * keyframe // keyframes, count * (keyframe + 1) // keyframes)


def _stretch(seed: Path, folder: Path, film: list[Record]) -> None:
    """Let the film's last segment lie where its record says."""
    header, last = film[0], film[-1]
    with (seed / FILM).open("rb") as source, (folder / FILM).open("r+b") as film_file:
        source.seek(header["length"])
        data = source.read(last["length"])
        film_file.truncate(header["length"])
        film_file.seek(last["offset"])
        film_file.write(data)
