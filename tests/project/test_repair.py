"""What is saved of damaged projects: real ones, damaged in real files, gone on with to the end."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from renderer.errors import ProjectBusy, ProjectError
from renderer.film.decode import decoded_frames
from renderer.film.records import committed
from renderer.images import read_provenance
from renderer.journal import read_journal
from renderer.project.project import Project
from renderer.project.records import FILM, JOURNAL, KEYFRAMES, SETTINGS, keyframe_path
from renderer.project.repair import damage, find_rescue, repair
from renderer.project.verify import verify
from tests.engine.runs import assert_playable, digest, project, render
from tests.marks import slower
from tests.project import damages
from tests.project.damages import DAMAGES, contents

FRAMES = 26
"""Of the film: five intervals of five frames, and the closing one."""


def ignore(done: int, total: int) -> None:
    """Progress that the test does not look at."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished project whose prompt has changed on the way."""
    folder = project(tmp_path_factory.mktemp("whole") / "a.zoom", keyframes=6, prompt="a reef")
    with Project.open(folder) as opened:
        opened.steer({"prompt": "a cave"}, 3)
    render(folder)
    assert_playable(folder, frames=FRAMES)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "a.zoom")


@pytest.mark.parametrize("harm", DAMAGES)
def test_what_is_saved_goes_on_to_the_same_film_and_what_goes_is_kept(
    whole: Path, copy: Path, harm: Callable[[Path], None]
) -> None:
    harm(copy)
    before, journal = contents(copy), (copy / JOURNAL).read_bytes()
    assert damage(copy)
    assert _complaints(copy)
    rescue = find_rescue(copy, ignore)
    assert contents(copy) == before
    aside = repair(copy, rescue)
    assert damage(copy) == ""
    assert (aside / JOURNAL).read_bytes() == journal
    render(copy)
    assert digest(copy) == digest(whole)
    assert verify(copy, ignore, decode=decoded_frames) == []


def _complaints(folder: Path) -> list[str]:
    """Of ``verify``, which leaves everything as it is."""
    try:
        return [problem.what for problem in verify(folder, ignore)]
    except ProjectError as error:
        return [str(error)]


def test_a_journal_that_is_gone_is_made_of_film_and_keyframes(whole: Path, copy: Path) -> None:
    (copy / JOURNAL).unlink()
    before = (copy / FILM).read_bytes()
    repair(copy, find_rescue(copy, ignore))
    assert (copy / FILM).read_bytes() == before
    assert committed(read_journal(copy / JOURNAL)) == committed(read_journal(whole / JOURNAL))
    with Project.open(copy) as opened:
        assert opened.finished
        prompts = [opened.settings_at(keyframe).prompt for keyframe in range(6)]
        kept = [(stored.length, stored.crc, stored.seed) for stored in opened.keyframes]
    said = [read_provenance(keyframe_path(copy, keyframe))["prompt"] for keyframe in range(6)]
    assert prompts == said
    assert len(set(prompts)) == 2
    with Project.open(whole) as other:
        assert kept == [(stored.length, stored.crc, stored.seed) for stored in other.keyframes]


def test_a_segment_damaged_in_the_middle_is_found_and_made_again(whole: Path, copy: Path) -> None:
    damaged = committed(read_journal(copy / JOURNAL))[2]
    with (copy / FILM).open("r+b") as film:
        film.seek(damaged.offset + damaged.length // 2)
        film.write(b"\xff\x00\xff\x00")
    assert damage(copy) == ""  # no reader would notice
    (problem,) = verify(copy, ignore)
    assert problem.what.startswith("film.mp4: segment 3 is not what was written")
    rescue = find_rescue(copy, ignore)
    assert rescue.loses
    aside = repair(copy, rescue)
    assert (aside / "film.mp4.tail").stat().st_size > damaged.length
    render(copy)
    assert digest(copy) == digest(whole)


def test_a_header_that_is_damaged_is_found_when_the_project_is_opened(copy: Path) -> None:
    with (copy / FILM).open("r+b") as film:
        film.seek(40)
        film.write(b"\xff\x00\xff\x00")
    before = contents(copy)
    with pytest.raises(ProjectError, match="its header can't be read back; nothing was changed"):
        Project.open(copy)
    assert contents(copy) == before
    assert "its header is not what was written" in verify(copy, ignore)[0].what


def test_settings_that_are_gone_are_the_journals(whole: Path, copy: Path) -> None:
    (copy / SETTINGS).unlink()
    repair(copy, find_rescue(copy, ignore))
    assert (copy / SETTINGS).read_bytes() == (whole / SETTINGS).read_bytes()
    assert damage(copy) == ""


def test_pictures_behind_a_gap_are_kept_beside(whole: Path, copy: Path) -> None:
    damages.emptied(copy)
    keyframe_path(copy, 3).unlink()
    aside = repair(copy, find_rescue(copy, ignore))
    assert sorted(path.name for path in (aside / KEYFRAMES).iterdir()) == [
        "000004.png",
        "000005.png",
    ]
    render(copy)
    assert_playable(copy, frames=FRAMES)


def test_without_any_keyframe_the_film_is_left_alone(copy: Path) -> None:
    damages.emptied(copy)
    shutil.rmtree(copy / KEYFRAMES)
    before = contents(copy)
    with pytest.raises(ProjectError, match=r"has lost its keyframes.* holds 6 whole segments"):
        find_rescue(copy, ignore)
    assert contents(copy) == before


def test_a_project_that_is_whole_loses_nothing(whole: Path, copy: Path) -> None:
    assert damage(copy) == ""
    rescue = find_rescue(copy, ignore)
    assert not rescue.loses
    repair(copy, rescue)
    assert digest(copy) == digest(whole)
    assert verify(copy, ignore) == []


def test_what_is_being_rendered_is_not_repaired(copy: Path) -> None:
    rescue = find_rescue(copy, ignore)
    with Project.open(copy):
        for attempt in (lambda: damage(copy), lambda: repair(copy, rescue)):
            with pytest.raises(ProjectBusy):
                attempt()


@pytest.mark.parametrize("seed", [*range(6), *slower(range(6, 20))])
def test_any_flipped_byte_of_film_and_keyframes_is_found(copy: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = chance.choice([copy / FILM, *sorted((copy / KEYFRAMES).iterdir())])
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= chance.randrange(1, 256)
    path.write_bytes(data)
    seen: list[tuple[int, int]] = []
    (problem,) = verify(copy, lambda *progress: seen.append(progress))
    assert path.name in problem.what
    assert seen[-1][0] == seen[-1][1]
