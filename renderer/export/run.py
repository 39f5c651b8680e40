"""A plan → the finished file or folder: written beside, renamed when whole, or nothing left.

Ties frames, encoder, container and processes together. Knows no project and no terminal.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from PIL import Image, PngImagePlugin

from renderer.errors import StorageError
from renderer.export.animation import write_animation
from renderer.export.chunks import Chunk, chunks, processes_for
from renderer.export.containers import Kind
from renderer.export.frames import FrameSource, Pixels
from renderer.export.output_lock import claimed
from renderer.export.plan import Plan
from renderer.export.process_pool import apart, in_order
from renderer.export.provenance import add_provenance
from renderer.export.remux import remux
from renderer.files import flush_folder, free_text, replace_file
from renderer.film.encode import Encoding, encode_segment
from renderer.images import PROVENANCE_KEY
from renderer.project.verify import check_film, not_rewound

OnProgress = Callable[[int, int], None]
"""Takes (frames done, frames in all), now and then."""
SideBySide = Callable[[Callable[[Chunk], int], Iterator[Chunk]], Generator[int, None, None]]
"""``side_by_side(work, chunks)``: as ``process_pool.in_order``, wherever that is done."""

_PALETTE_FRAMES = 24
_BIG = 64 * 2**20
"""Bytes of film; with more, writing its end takes noticeably long. That can't be interrupted, so it
is done in a process of its own."""
_COVER_QUALITY = 92


def export(plan: Plan, on_progress: OnProgress, side_by_side: SideBySide | None = None) -> Path:
    """Make what ``plan`` says; returns its path.

    ``side_by_side`` works on the chunks, and leaves files beside the target; None: processes of
    this machine do. Whatever is raised, KeyboardInterrupt too, leaves nothing behind. Raises
    StorageError, EncoderError, ProjectError (a damaged keyframe), SettingsError (another export
    makes the same, or has just made it; sound that can't be decoded to its end).
    """
    target, folder = plan.target, plan.target.folder
    crew = side_by_side or partial(in_order, processes=processes_for(plan.take))
    with _storage(target.path, folder), claimed(target.path, folder):
        target.check(force=plan.force, frames=plan.frames)
        match target.container.kind:
            case Kind.FILM:
                _film(plan, on_progress, crew)
            case Kind.ANIMATION:
                _animation(plan, on_progress)
            case Kind.PICTURES:
                _pictures(plan, on_progress, crew)
        flush_folder(folder)
    on_progress(plan.frames, plan.frames)
    return target.path


# ------------------------------------------------------------------------------------- films


def _film(plan: Plan, on_progress: OnProgress, side_by_side: SideBySide) -> None:
    target, footage = plan.target, plan.take.footage
    frames = _new_folder(target.path.with_name(f"{target.path.name}.frames.part"))
    with _beside(target.path, ".part") as part, frames as folder:
        if plan.encoding is None:
            with not_rewound(footage.film, footage.film_records):
                check_film(footage.film, footage.film_records)
                _finish(footage.film, footage.film_length, plan, part)
        else:
            growing = _encode(plan, plan.encoding, folder, on_progress, side_by_side)
            _finish(growing, growing.stat().st_size, plan, part)
        shutil.rmtree(folder)
        _publish(part, target.path)


def _finish(film: Path, length: int, plan: Plan, part: Path) -> None:
    cover = None if plan.poster is None else _cover(plan.take, plan.poster)
    work = partial(remux, film, length, plan, cover)
    apart(work, part) if length > _BIG else work(part)


def _encode(
    plan: Plan,
    encoding: Encoding,
    folder: Path,
    on_progress: OnProgress,
    side_by_side: SideBySide,
) -> Path:
    """All frames as one fragmented MP4 in ``folder``, in order, encoded side by side."""
    done = 0
    work = partial(_encode_chunk, plan.take, encoding, folder)
    out = folder / "film"
    with out.open("wb") as file, closing(side_by_side(work, chunks(plan.take))) as ready:
        for number, count in enumerate(ready):
            part = folder / str(number)
            file.write(part.read_bytes())
            part.unlink()
            done += count
            on_progress(done, plan.frames)
    return out


def _encode_chunk(take: FrameSource, encoding: Encoding, folder: Path, chunk: Chunk) -> int:
    """Write the segment of ``chunk`` into ``folder``, under its number; returns its frames."""
    frames = take.frames(chunk.first, chunk.frames)
    segment = encode_segment(frames, encoding, first_frame=chunk.first, index=chunk.number)
    header = b"" if chunk.number else segment.init
    replace_file(folder / str(chunk.number), header + segment.media, durable=False)
    return segment.frames


def _cover(take: FrameSource, frame: int) -> bytes:
    """That frame as a JPEG."""
    (picture,) = replace(take, rgb=True).frames(frame, 1)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=_COVER_QUALITY)
    return buffer.getvalue()


# ---------------------------------------------------------------------------------- animations


def _animation(plan: Plan, on_progress: OnProgress) -> None:
    take, target = plan.take, plan.target
    with _beside(target.path, ".part") as part, closing(_ahead(take.frames())) as frames:
        write_animation(
            part,
            target.container.muxer,
            frames,
            _spread(take),
            size=take.size,
            fps=plan.fps,
            on_frame=lambda done: on_progress(done, plan.frames),
        )
        add_provenance(part, target.container.muxer, take.footage.provenance)
        _publish(part, target.path)


def _spread(take: FrameSource) -> Iterator[Pixels]:
    """A few frames from all along the film."""
    total = take.timeline.frames
    count = min(total, _PALETTE_FRAMES)
    for number in range(count):
        yield from take.frames(number * (total - 1) // max(count - 1, 1), 1)


def _ahead(frames: Iterator[Pixels]) -> Generator[Pixels, None, None]:
    """``frames``, each made while the one before it is used."""
    with ThreadPoolExecutor(1, thread_name_prefix="renderer-export") as maker:
        following = maker.submit(next, frames, None)
        while (frame := following.result()) is not None:
            following = maker.submit(next, frames, None)
            yield frame


# ------------------------------------------------------------------------------------ pictures


def _pictures(plan: Plan, on_progress: OnProgress, side_by_side: SideBySide) -> None:
    """Into a new folder beside, which becomes the target; or in the one there, where they move up:
    it may be a disk of its own."""
    target, name = plan.target, f"{plan.target.path.name}.part"
    beside = target.path.with_name(name)
    with _new_folder(target.path / f".{name}" if target.path.is_dir() else beside) as part:
        done = 0
        work = partial(_draw_chunk, plan, part)
        with closing(side_by_side(work, chunks(plan.take))) as written:
            for count in written:
                done += count
                on_progress(done, plan.frames)
        if target.path.is_dir():
            for picture in sorted(part.iterdir()):
                picture.replace(target.path / picture.name)
            for picture in target.left_over(plan.frames) if plan.force else ():
                picture.unlink()
        else:
            part.rename(target.path)


def _draw_chunk(plan: Plan, folder: Path, chunk: Chunk) -> int:
    """Write the pictures of ``chunk`` into ``folder``; returns how many."""
    note = PngImagePlugin.PngInfo()
    note.add_itxt(PROVENANCE_KEY, plan.take.footage.provenance)
    frames = plan.take.frames(chunk.first, chunk.frames)
    for number, frame in enumerate(frames, start=chunk.first):
        path = folder / plan.target.name(number)
        Image.fromarray(frame).save(path, "PNG", compress_level=1, pnginfo=note)
    return chunk.frames


# ------------------------------------------------------------------------------------- files


@contextmanager
def _beside(path: Path, ending: str) -> Iterator[Path]:
    """A name beside ``path`` at which nothing is left when the block ends, however it does."""
    beside = path.with_name(path.name + ending)
    beside.unlink(missing_ok=True)
    try:
        yield beside
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """The same for a folder at ``path``, which is there from the beginning."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _publish(part: Path, path: Path) -> None:
    """Make ``part`` durable, then give it its name."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)


@contextmanager
def _storage(path: Path, folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageError(
                f"no space left for {path} ({free_text(folder)} free); nothing of it was "
                f"kept; free some space and export again"
            ) from error
        raise StorageError(f"can't write {path}: {error.strerror or error}") from error
