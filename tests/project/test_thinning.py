"""Renders that keep only the newest keyframes, or those with a mark: what goes, what is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from renderer.engine.events import Event, KeyframeReady
from renderer.engine.session import Session
from renderer.errors import ProjectError, SettingsError
from renderer.export.of_project import ExportOptions, export, plan_export
from renderer.film.records import committed
from renderer.journal import read_journal
from renderer.project.copy import branch_project, copy_project
from renderer.project.project import Project
from renderer.project.records import FILM, JOURNAL, KEYFRAMES, read_history
from renderer.project.repair import damage, find_rescue, repair
from renderer.project.rewinding import rewound
from renderer.project.thinning import spans
from renderer.project.verify import verify
from renderer.settings.render import RenderSettings
from tests.engine.runs import assert_playable, digest, project, render, steer, stop_at
from tests.project.damages import bad_from_the_second_line_on, contents, emptied

COUNT = 14


def ignore(done: int, total: int) -> None:
    """Progress that the test does not look at."""


def there(folder: Path) -> list[int]:
    """The keyframes on the disk, counted from 0."""
    return sorted(int(path.stem[:6]) for path in (folder / KEYFRAMES).glob("*.png"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = project(tmp_path_factory.mktemp("whole") / "a.zoom", keyframes=COUNT)
    render(folder)
    return folder


@pytest.fixture(scope="module")
def thin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished film of which the first and the four newest are kept, and one with a mark."""
    folder = project(
        tmp_path_factory.mktemp("thin") / "a.zoom", keyframes=COUNT, keyframes_kept="4"
    )
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            if isinstance(event, KeyframeReady) and event.keyframe == 5:
                session.mark(5, "the gate")

        session = Session(opened, emit)
        session.run()
    return folder


def test_the_newest_the_first_and_those_with_a_mark_stay(thin: Path, whole: Path) -> None:
    assert there(thin) == [0, 5, 10, 11, 12, 13]
    assert digest(thin) == digest(whole)
    assert verify(thin, ignore) == []
    assert damage(thin) == ""


def test_marks_keep_the_newest_eight_as_well(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=COUNT, keyframes_kept="marks")
    render(folder)
    assert there(folder) == [0, *range(COUNT - 8, COUNT)]


def test_it_is_stopped_and_resumed_as_any_other(whole: Path, tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=COUNT, keyframes_kept="2", workers=1)
    for last in (3, 6, 7):
        stop_at(folder, lambda event, last=last: getattr(event, "segment", 0) >= last)  # type: ignore[misc]
    render(folder)
    assert digest(folder) == digest(whole)
    assert there(folder) == [0, COUNT - 2, COUNT - 1]


def test_what_is_steered_thins_what_is_there_already(whole: Path, tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=8)
    render(folder)
    steer(folder, keyframes=COUNT, keyframes_kept="3")
    render(folder)
    assert there(folder) == [0, 11, 12, 13]
    assert digest(folder) == digest(whole)
    steer(folder, keyframes=COUNT + 1, keyframes_kept="all")
    render(folder)
    assert there(folder) == [0, 11, 12, 13, 14]
    assert verify(folder, ignore) == []


def test_a_picture_that_is_missing_for_no_such_reason_is_damage(
    thin: Path, whole: Path, tmp_path: Path
) -> None:
    for folder, keyframe in ((whole, 3), (thin, 5)):
        copy = tmp_path / folder.parent.name
        copy_project(folder, copy, ignore)
        (copy / KEYFRAMES / f"{keyframe:06d}.png").unlink()
        assert [each for each in verify(copy, ignore) if f"{keyframe:06d}.png" in each.what]


def test_it_is_exported_as_it_is_and_anything_else_says_what_is_gone(
    thin: Path, tmp_path: Path
) -> None:
    plan = plan_export(thin, str(tmp_path / "copy.mp4"), ExportOptions())
    assert plan.copies
    export(plan, ignore)
    with av.open(str(tmp_path / "copy.mp4")) as film:
        assert len(list(film.decode(video=0))) == 5 * (COUNT - 1) + 1
    with pytest.raises(ProjectError, match=r"keyframes 2 to 5, 7 to 10 are not there"):
        plan_export(thin, str(tmp_path / "b.mp4"), ExportOptions(direction="in"))
    assert [path.name for path in tmp_path.iterdir()] == ["copy.mp4"]


def test_only_what_is_kept_can_be_rewound_to_and_branched_from(thin: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.zoom"
    copy_project(thin, copy, ignore)
    with Project.open(copy) as opened:
        with pytest.raises(ProjectError, match=r"keyframe 9 can't be painted again.* keyframe 8 "):
            opened.rewind(rewound(opened.history, 8))
        opened.rewind(rewound(opened.history, 12))
    render(copy)
    assert digest(copy) == digest(thin)
    with pytest.raises(ProjectError, match=r"no film can go on from there: .* keyframe 4 was not"):
        branch_project(thin, tmp_path / "b.zoom", 3, {}, ignore)
    branch_project(thin, tmp_path / "c.zoom", 5, {"keyframes": 9}, ignore)
    render(tmp_path / "c.zoom")
    assert_playable(tmp_path / "c.zoom", frames=5 * 8 + 1)


def test_it_is_repaired_with_what_is_gone_staying_gone(thin: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.zoom"
    copy_project(thin, copy, ignore)
    with (copy / FILM).open("ab") as film:
        film.write(b"\0" * 5000)
    repair(copy, find_rescue(copy, ignore))
    assert there(copy) == there(thin)
    assert len(read_history(copy).keyframes) == COUNT
    assert digest(copy) == digest(thin)
    assert verify(copy, ignore) == []


def without_record(folder: Path, keyframe: int = 3) -> None:
    """Damage the journal's line about that keyframe."""
    lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
    about = [
        b'"type":"keyframe"' in each and b'"keyframe":%d,' % keyframe in each for each in lines
    ]
    lines[about.index(True)] = b"#" + lines[about.index(True)][1:]
    (folder / JOURNAL).write_bytes(b"".join(lines))


@pytest.mark.parametrize("harm", [without_record, emptied, bad_from_the_second_line_on])
def test_records_that_are_lost_with_what_is_gone_cost_nothing_of_the_film(
    thin: Path, whole: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    copy = tmp_path / "copy.zoom"
    copy_project(thin, copy, ignore)
    harm(copy)
    assert damage(copy)
    repair(copy, find_rescue(copy, ignore))
    assert there(copy) == there(thin)
    assert digest(copy) == digest(whole)
    assert (damage(copy), verify(copy, ignore)) == ("", [])
    steer(copy, keyframes=COUNT + 1)
    render(copy)
    assert_playable(copy, frames=5 * COUNT + 1)


def shortened(folder: Path) -> None:
    """Damage the fourth segment, whose keyframes were not kept."""
    segment = committed(read_journal(folder / JOURNAL))[3]
    with (folder / FILM).open("r+b") as film:
        film.seek(segment.offset + segment.length // 2)
        film.write(b"\xff\x00\xff\x00")


@pytest.mark.parametrize(
    ("changes", "harm", "lost"),
    [
        ({}, shortened, "the picture of keyframe 4"),
        ({"painter": "texture", "method": "refine"}, without_record, "the record of keyframe 4"),
    ],
    ids=["film", "dive"],
)
def test_a_film_that_could_not_go_on_is_left_alone(
    tmp_path: Path, changes: dict[str, Any], harm: Callable[[Path], None], lost: str
) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=8, keyframes_kept="2", **changes)
    render(folder)
    harm(folder)
    before = contents(folder)
    with pytest.raises(ProjectError, match=rf"lost {lost}, from which .* \d whole segments: copy"):
        find_rescue(folder, ignore)
    assert contents(folder) == before


@pytest.mark.parametrize("kept", ["1", "none", "-3", "2.5", ""])
def test_what_can_not_be_kept_is_one_line(kept: str) -> None:
    with pytest.raises(SettingsError, match="must be all, marks, or 2 and more"):
        RenderSettings(keyframes_kept=kept)


def test_keyframes_are_named_in_spans() -> None:
    cases: list[tuple[list[int], Any]] = [
        ([3], "4"),
        ([1, 2, 3, 6], "2 to 4, 7"),
        ([1, 3, 5, 7, 8], "2, 4, 6 and others"),
    ]
    for keyframes, words in cases:
        assert spans(keyframes) == words


def test_a_picture_that_has_gone_can_not_be_marked(thin: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.zoom"
    copy_project(thin, copy, ignore)
    with Project.open(copy) as opened:
        with pytest.raises(ProjectError, match=r"3 can't be marked: .* was not kept"):
            opened.mark(2, "too late")
        opened.mark(2, "")
        opened.mark(11, "the harbour")
    assert verify(copy, ignore) == []


@pytest.mark.parametrize(("keyframe", "remedy"), [(10, ""), (12, "rewind")])
def test_a_rewind_is_advised_only_where_it_can_be_done(
    thin: Path, tmp_path: Path, keyframe: int, remedy: str
) -> None:
    copy = tmp_path / "copy.zoom"
    copy_project(thin, copy, ignore)
    picture = copy / KEYFRAMES / f"{keyframe:06d}.png"
    picture.write_bytes(picture.read_bytes()[:-1])
    (problem,) = verify(copy, ignore)
    assert problem.remedy == remedy
