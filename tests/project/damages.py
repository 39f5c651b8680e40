"""What happens to projects: damage done to real files, and what a folder holds, to be compared."""

from __future__ import annotations

import hashlib
from pathlib import Path

from renderer.film.records import committed
from renderer.journal import read_journal
from renderer.project.records import FILM, JOURNAL, keyframe_path


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {"lock", "supervisor", "render.log"}
    }


def crlf(folder: Path) -> None:
    text = (folder / JOURNAL).read_bytes()
    (folder / JOURNAL).write_bytes(text.replace(b"\n", b"\r\n"))


def emptied(folder: Path) -> None:
    (folder / JOURNAL).write_bytes(b"")


def zeroed(folder: Path) -> None:
    (folder / JOURNAL).write_bytes(bytes((folder / JOURNAL).stat().st_size))


def bad_from_the_second_line_on(folder: Path) -> None:
    first, _, rest = (folder / JOURNAL).read_bytes().partition(b"\n")
    (folder / JOURNAL).write_bytes(first + b"\n" + rest.replace(b'"type"', b'"kind"'))


def of_another_kind(folder: Path) -> None:
    first = (folder / JOURNAL).read_bytes().partition(b"\n")[0]
    (folder / JOURNAL).write_bytes(first + b"\n" + bytes(2 << 20))


def older_journal(folder: Path) -> None:
    lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
    (folder / JOURNAL).write_bytes(b"".join(lines[: len(lines) // 2]))


def older_film_and_journal(folder: Path) -> None:
    segments = committed(read_journal(folder / JOURNAL))
    lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if b'"type":"segment"' in line)
    (folder / JOURNAL).write_bytes(b"".join(lines[: first + 1]))
    film = (folder / FILM).read_bytes()
    (folder / FILM).write_bytes(film[: segments[1].offset])


def lacking_film_and_keyframe(folder: Path) -> None:
    segments = committed(read_journal(folder / JOURNAL))
    film = (folder / FILM).read_bytes()
    (folder / FILM).write_bytes(film[: segments[1].offset])
    keyframe_path(folder, 3).unlink()


DAMAGES = [
    crlf,
    emptied,
    zeroed,
    bad_from_the_second_line_on,
    of_another_kind,
    older_journal,
    older_film_and_journal,
    lacking_film_and_keyframe,
]
"""More than an interrupted append leaves."""
