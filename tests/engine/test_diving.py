"""Dives as real renders: resumed, killed, steered, rewound and exported, byte for byte."""

from __future__ import annotations

import shutil
import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renderer.engine.events import Event, KeyframeReady, KeyframeStarted
from renderer.engine.session import Session
from renderer.errors import ProjectError, SettingsError
from renderer.export.of_project import ExportOptions, export, plan_export
from renderer.film.decode import decoded_frames
from renderer.journal import read_journal, write_journal
from renderer.painting.geometry import Geometry
from renderer.project.copy import branch_project
from renderer.project.placing import store_placed
from renderer.project.project import Project
from renderer.project.records import FILM, JOURNAL, read_history
from renderer.project.repair import damage, find_rescue, repair
from renderer.project.rewinding import rewound
from renderer.project.verify import verify
from tests.engine.runs import Engine, assert_playable, digest, engine, of, project, render
from tests.planning.chains import lumas

COUNT = 6
DIVE: dict[str, Any] = {"painter": "texture", "method": "refine", "keyframes": COUNT}


def ignore(done: int, total: int) -> None:
    """Progress that the test does not look at."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished dive whose focus is steered on the way, at last to where there is most to see."""
    folder = project(tmp_path_factory.mktemp("whole") / "a.zoom", **DIVE, direction="in")
    with Project.open(folder) as opened:
        opened.steer({"focus": "0.2,0.7"}, 2)
        opened.steer({"focus": "auto"}, 4)
    render(folder)
    return folder


def places(folder: Path) -> list[tuple[int, int] | None]:
    return [stored.dives_to for stored in read_history(folder).keyframes]


def test_a_dive_is_filmed_as_it_goes_and_every_keyframe_says_where_to(whole: Path) -> None:
    assert_playable(whole, frames=(COUNT - 1) * 5 + 1)
    assert verify(whole, ignore, decode=decoded_frames) == []
    first, *others = places(whole)
    assert first is None
    with Project.open(whole) as opened:
        geometry = Geometry.of(opened.settings)
        assert all(place is not None and geometry.holds(place) for place in others)
    left, top = geometry.pad
    assert others[0] == (left, top)
    assert others[1] is not None
    assert others[1][0] < left
    assert others[1][1] > top
    history = read_history(whole)
    assert all(0 < stored.residue < 0.5 for stored in history.keyframes[1:])
    assert {stored.seam for stored in history.keyframes} == {0.0}


def test_a_dive_that_is_killed_and_resumed_is_the_same(whole: Path, tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", **DIVE, direction="in")
    with Project.open(folder) as opened:
        opened.steer({"focus": "0.2,0.7"}, 2)
        opened.steer({"focus": "auto"}, 4)
    for keyframe in (1, 3, 4):
        with Engine(folder, alone=True) as running:
            running.until("KeyframeReady", keyframe=keyframe)
            running.signal(signal.SIGKILL)
            running.end()
    assert engine(folder).code == 0
    assert digest(folder) == digest(whole)


def test_a_dive_is_rewound_branched_and_repaired_as_any_film(whole: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(whole, tmp_path / "a.zoom")
    with Project.open(copy) as opened:
        opened.rewind(rewound(opened.history, 3))
    branch_project(copy, tmp_path / "b.zoom", 2, {}, ignore)
    with (copy / JOURNAL).open("ab") as journal:
        journal.write(b"?\n?\n" + b'["00000000",{}]\n' * 3)
    assert damage(copy)
    repair(copy, find_rescue(copy, ignore))
    for folder in (copy, tmp_path / "b.zoom"):
        render(folder)
        assert digest(folder) == digest(whole)
        assert places(folder) == places(whole)


def test_where_a_lost_keyframe_dived_to_is_read_from_its_file(whole: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(whole, tmp_path / "a.zoom")
    lines = (copy / JOURNAL).read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if b'"keyframe":2' not in line or b'"keyframe"' not in line]
    assert len(kept) < len(lines)
    (copy / JOURNAL).write_bytes(b"".join(kept))
    repair(copy, find_rescue(copy, ignore))
    assert places(copy) == places(whole)


def test_a_keyframe_that_dives_out_of_its_picture_is_damage(whole: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(whole, tmp_path / "a.zoom")
    records = read_journal(copy / JOURNAL)
    for record in records:
        if record.get("keyframe") == 2:
            record["dives_to"] = [5000, 0]
    write_journal(copy / JOURNAL, records)
    with pytest.raises(ProjectError, match="keyframe 3 dives out of its picture"):
        Project.open(copy)


def test_it_pulls_back_and_then_dives_where_the_method_is_steered(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    with Project.open(folder) as opened:
        opened.steer({"method": "refine", "focus": "0.3,0.4"}, 3)
    events = render(folder)
    figures = of(events, KeyframeReady)
    assert [figure.residue > 0 for figure in figures] == [False] * 3 + [True] * 3
    assert [figure.seam > 0 for figure in figures] == [False] + [True] * 2 + [False] * 3
    film = lumas(folder / FILM)
    steps = [np.abs(a.astype(float) - b).mean() for a, b in pairwise(film)]
    # Frame 10 begins the dive: it shows what the last one zooming out would have come to, at rest.
    assert steps[9] < max(steps[5:8]) * 0.75
    assert steps[10] < max(steps[11:15]) * 0.75
    assert [stored.stops for stored in read_history(folder).keyframes] == [n == 2 for n in range(6)]
    export(plan_export(folder, str(tmp_path / "a.mkv"), ExportOptions(crf=4)), ignore)
    for one, other in zip(lumas(tmp_path / "a.mkv"), film, strict=True):
        assert np.abs(one.astype(float) - other).mean() < 1.5


def test_a_turn_that_is_steered_while_a_keyframe_is_painted_begins_at_that_keyframe(
    tmp_path: Path,
) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            if isinstance(event, KeyframeStarted) and event.keyframe == 2:
                session.steer({"method": "refine"})

        session = Session(opened, emit)
        session.run()
    kept = read_history(folder).keyframes
    assert [stored.stops for stored in kept] == [n == 2 for n in range(6)]
    assert [stored.dives_to is not None for stored in kept] == [n > 2 for n in range(6)]


def test_an_export_has_the_dive_either_way(whole: Path, tmp_path: Path) -> None:
    film = lumas(whole / FILM)
    for direction, expected in (("in", film), ("out", film[::-1]), (None, film)):
        path = tmp_path / f"{direction}.mkv"
        options = ExportOptions(direction=direction, crf=4 if direction == "out" else None)
        plan = plan_export(whole, str(path), options)
        assert plan.copies == (direction != "out")
        export(plan, ignore)
        made = lumas(path)
        assert len(made) == len(expected)
        for one, other in zip(made, expected, strict=True):
            assert np.abs(one.astype(float) - other).mean() < 1.5
    with pytest.raises(SettingsError, match="where to is settled"):
        plan_export(whole, str(tmp_path / "b.mp4"), ExportOptions(focus=(0.2, 0.2)))


def test_a_dive_that_was_to_run_out_gets_that_film_as_well(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", **{**DIVE, "keyframes": 3}, direction="out")
    ended = engine(folder)
    assert ended.code == 0
    assert (folder / "exports" / "out.mp4").exists()
    assert not (folder / "exports" / "in.mp4").exists()


def test_a_dive_shows_no_picture_of_ones_own_on_the_way(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", **DIVE)
    with Project.open(folder) as opened:
        width, height = Geometry.of(opened.settings).canvas_size
        placed = store_placed(folder, 2, np.zeros((height, width, 3), np.uint8))
        with pytest.raises(SettingsError, match=r"keyframe 3 dives .* --image"):
            opened.show_placed(placed)
