"""`kill -9` at random moments, files as a power cut leaves them: the film is the same."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from renderer.journal import read_journal
from renderer.project.records import FILM, JOURNAL, KEYFRAMES
from renderer.project.status import State, read_status
from tests.engine.runs import Engine, assert_playable, digest, engine, only, project, render, steer

LONGEST_LIFE = 80
"""Events that a life lasts at most; a keyframe takes some 30, so a life adds none to two."""


def garbage_behind_the_film(folder: Path, rng: random.Random) -> None:
    """A segment that was being appended."""
    with (folder / FILM).open("ab") as file:
        file.write(rng.randbytes(rng.choice([1, 500, 3_000_000])))


def half_a_journal_line(folder: Path, rng: random.Random) -> None:
    """A record that was being written."""
    line = b'["89abcdef",{"type":"segment","index":3,"first_frame":15}]'
    with (folder / JOURNAL).open("ab") as file:
        file.write(line[: rng.randrange(1, len(line))])


def lost_bytes_at_the_films_end(folder: Path, rng: random.Random) -> None:
    """Of the last segment: a disk that said it had written, and had not."""
    records = [record for record in read_journal(folder / JOURNAL) if record["type"] == "segment"]
    if records:
        last = records[-1]
        with (folder / FILM).open("rb+") as file:
            file.truncate(last["offset"] + rng.randrange(last["length"]))


def zeroes_at_the_films_end(folder: Path, rng: random.Random) -> None:
    """The length of the file was written, its content not yet."""
    records = [record for record in read_journal(folder / JOURNAL) if record["type"] == "segment"]
    if records:
        last = records[-1]
        with (folder / FILM).open("rb+") as file:
            file.seek(last["offset"] + rng.randrange(last["length"] - 8))
            file.write(bytes(8))
            file.truncate(last["offset"] + last["length"])


def half_a_keyframe(folder: Path, rng: random.Random) -> None:
    """A picture that was being written."""
    stray = folder / KEYFRAMES / f"{read_status(folder).keyframes:06d}.png.part"
    stray.write_bytes(b"\x89PNG\r\n\x1a\n" + rng.randbytes(100))


def nothing(folder: Path, rng: random.Random) -> None:
    """What `kill -9` leaves by itself."""


HARM: list[Callable[[Path, random.Random], None]] = [
    nothing,
    garbage_behind_the_film,
    half_a_journal_line,
    lost_bytes_at_the_films_end,
    zeroes_at_the_films_end,
    half_a_keyframe,
]


def live_and_die(folder: Path, life: int, *, fruitful: bool = False) -> None:
    """Start the engine on ``folder`` and kill it once it has said ``life`` things.

    ``fruitful``: and once a segment of film is among them.
    """
    with Engine(folder, alone=True) as running:
        for _ in running.events():
            written = not fruitful or only(running.said, "SegmentWritten")
            if len(running.said) >= life and written:
                break
        running.signal(signal.SIGKILL)
        ended = running.end()
    assert ended.code == -signal.SIGKILL
    assert ended.errors == ""


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.soak)])
def test_a_render_killed_at_random_moments_makes_the_same_film(tmp_path: Path, kills: int) -> None:
    keyframes = 2 * kills + 10
    whole = project(tmp_path / "whole.zoom", painter="texture", keyframes=keyframes)
    render(whole)
    rng = random.Random(2026)
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=keyframes)
    for kill in range(kills):
        steer(folder, workers=(1, 2, 4)[kill % 3])
        life = rng.randrange(1, LONGEST_LIFE)
        live_and_die(folder, life, fruitful=kill == kills - 1)
        HARM[kill % len(HARM)](folder, rng)
    assert read_status(folder).state is State.STOPPED
    assert 0 < read_status(folder).frames < (keyframes - 1) * 5
    assert engine(folder).code == 0
    assert digest(folder) == digest(whole)
    assert_playable(folder, frames=(keyframes - 1) * 5 + 1)
    assert not list(folder.rglob("*.part"))


@pytest.mark.slow
def test_a_film_is_playable_after_every_kill(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=400)
    for life in range(20, 220, 50):
        with Engine(folder, alone=True) as running:
            running.until("SegmentWritten")
            for _ in range(life):
                next(running.events())
            running.signal(signal.SIGKILL)
            running.end()
        assert assert_playable(folder) >= read_status(folder).frames > 0
