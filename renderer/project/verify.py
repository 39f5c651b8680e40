"""Is every byte of a project the one that was written? Reads only, also while it renders."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from renderer.errors import ProjectError, RendererError
from renderer.film.records import HEADER, FilmRecords, records_of_film
from renderer.film.salvage import OnBytes
from renderer.film.store import check_tail
from renderer.images import read_keyframe
from renderer.journal import Record, untouched
from renderer.painting.geometry import Geometry
from renderer.project.checks import check_project
from renderer.project.history import History, StoredKeyframe
from renderer.project.records import FILM, path_of, read_records, read_settings
from renderer.project.session_record import renders
from renderer.project.thinning import kept_takes, may_be_missing
from renderer.settings.render import RenderSettings

Decode = Callable[[bytes, bytes], int]
"""Frames in (header, segment). Raises ProjectError."""
Finding = tuple[int, str]
"""Bytes that were looked at, and what is wrong with them; empty: nothing."""


class Problem(NamedTuple):
    """Something that is wrong, in a line."""

    what: str
    remedy: str = "repair"
    """The verb that helps: ``rewind`` for a picture, ``prune`` for a take that is not in the film;
    empty: none does."""
    keyframe: int = 0
    """Of a picture, from 0."""


def verify(folder: Path, on_bytes: OnBytes, *, decode: Decode | None = None) -> list[Problem]:
    """What is wrong; empty: nothing is.

    Every byte of film and keyframes is read and compared with its checksum. ``decode``
    (``film.decode.decoded_frames``): every frame and every picture is decoded as well. Raises
    ProjectError, SettingsError where settings or journal can't be read.
    """
    settings, records = read_settings(folder), read_records(folder)
    told = FilmRecords(records)  # raises where they contradict each other
    history = History(records)
    keyframes = [*history.keyframes, *kept_takes(folder, history)]
    film = records_of_film(records)
    total = sum(record["length"] for record in film) + sum(stored.length for stored in keyframes)
    done, problems = 0, list[Problem]()
    for stored, (length, what) in chain(
        ((None, found) for found in _film(folder / FILM, film, decode)),
        zip(keyframes, _keyframes(folder, settings, history, keyframes, decode), strict=True),
    ):
        done += length
        on_bytes(done, total)
        problems += [_problem(folder, what, history, stored)] if what else []
    if "repair" not in {problem.remedy for problem in problems}:
        what = _contradiction(folder, settings, records, history, told)
        problems += [Problem(what)] if what else []
    return problems


def _problem(folder: Path, what: str, history: History, stored: StoredKeyframe | None) -> Problem:
    if stored is None:
        return Problem(what)
    if not history.has(stored):
        return Problem(what, "prune", stored.keyframe)
    before = history.keyframes[: stored.keyframe][-1:]  # what it would be painted around
    there = any(path_of(folder, each).exists() for each in before)
    return Problem(what, "rewind" if there else "", stored.keyframe)


def _contradiction(
    folder: Path,
    settings: RenderSettings,
    records: Sequence[Record],
    history: History,
    told: FilmRecords,
) -> str:
    """Why the project can't be resumed though all that its journal knows of is there."""
    try:
        check_project(folder, settings, records, history, told)
        with suppress(FileNotFoundError), (folder / FILM).open("rb") as file:
            check_tail(folder / FILM, file.fileno(), told)
    except ProjectError as error:
        if renders(folder) or read_records(folder) != records:
            return ""  # it has grown meanwhile
        return str(error).removesuffix(f"; {untouched(folder)}")
    return ""


def check_film(path: Path, records: Sequence[Record]) -> None:
    """Compare every byte that ``records`` vouch for. Raises ProjectError at the first wrong one."""
    for _, problem in _film(path, records, None):
        if problem:
            again = f"`zoomtui repair {path.parent}` shows what can be saved"
            raise ProjectError(f"{path.parent} is damaged: {problem}; {again}")


@contextmanager
def not_rewound(path: Path, records: Sequence[Record]) -> Iterator[None]:
    """Raise ProjectError after the block where the film is not what ``records`` say any more."""
    try:
        yield
    except RendererError:
        _check_records(path, records)
        raise
    _check_records(path, records)


def _check_records(path: Path, records: Sequence[Record]) -> None:
    if records_of_film(read_records(path.parent))[: len(records)] != list(records):
        raise ProjectError(
            f"{path.parent} was rewound meanwhile; do it again with the film as it is"
        )


def _film(path: Path, records: Sequence[Record], decode: Decode | None) -> Iterator[Finding]:
    if not records:
        return
    try:
        file = path.open("rb")
    except OSError as error:
        yield sum(record["length"] for record in records), f"{FILM} can't be read: {error.strerror}"
        return
    with file:
        init = b""
        for record in records:
            file.seek(record["offset"])
            data = file.read(record["length"])
            init = init or data
            yield len(data), _segment_problem(record, data, init, decode)


def _segment_problem(record: Record, data: bytes, init: bytes, decode: Decode | None) -> str:
    header = record["type"] == HEADER
    what = "its header" if header else f"segment {record['index'] + 1}"
    if len(data) < record["length"]:
        return f"{FILM}: {what} is missing, or its end is"
    if zlib.crc32(data) != record["crc"]:
        return f"{FILM}: {what} is not what was written (from byte {record['offset']} on)"
    if header or decode is None:
        return ""
    try:
        frames = decode(init, data)
    except ProjectError as error:
        return f"{FILM}: {what} {error}"
    found = f"{FILM}: {what} has {frames} frames instead of {record['frames']}"
    return "" if frames == record["frames"] else found


def _keyframes(
    folder: Path,
    settings: RenderSettings,
    history: History,
    keyframes: Sequence[StoredKeyframe],
    decode: Decode | None,
) -> Iterator[Finding]:
    geometry = Geometry.of(settings)
    for stored in keyframes:
        path = path_of(folder, stored)
        problem = ""
        if may_be_missing(history, settings, stored) and not path.exists():
            yield stored.length, ""
            continue
        try:
            if decode is not None:
                read_keyframe(path, geometry.stored_size(stored.keyframe), stored.crc)
            elif zlib.crc32(path.read_bytes()) != stored.crc:
                problem = f"{path.relative_to(folder)} is not the file that was written"
        except OSError as error:
            problem = f"{path.relative_to(folder)} can't be read: {error.strerror}"
        except ProjectError as error:
            problem = str(error)
        yield stored.length, problem
