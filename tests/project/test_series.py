"""What a journal tells of a whole render, keyframe by keyframe: after steering, kills and takes."""

from __future__ import annotations

import math
import random
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from renderer.errors import ProjectError
from renderer.journal import Record, read_journal, write_journal
from renderer.project.history import Rewind
from renderer.project.project import Project
from renderer.project.records import JOURNAL
from renderer.project.rewinding import choosing, rerolled
from renderer.project.series import CURVES, Happening, Series, SeriesReader
from tests.benchmarks.long_project import make
from tests.engine.runs import Engine, engine, project, render, steer

MADE = {"seed": 1, "seconds": 1.0, "seam": 1.0, "drift": 0.0}


def look(folder: Path) -> Series:
    return SeriesReader(folder).look()


def there(column: Sequence[float]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in column]


def keyframe(number: int, **told: Any) -> Record:
    return {"type": "keyframe", "keyframe": number, "at": 100.0 + 10 * number, "seconds": 2.0,
            "seam": 1.0, "drift": 1.0, "length": 1, "crc": 1, "seed": 1, **told}  # fmt: skip


def told(tmp_path: Path, *records: Record) -> Path:
    """A folder whose journal has these."""
    write_journal(tmp_path / JOURNAL, [{"type": "project", "settings": {}}, *records])
    return tmp_path


def test_of_a_render_it_tells_what_was_measured(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=4)
    assert engine(folder).code == 0
    painted = [each for each in read_journal(folder / JOURNAL) if each["type"] == "keyframe"]
    series = look(folder)
    assert series.keyframes == 4
    assert list(series.at) == [each["at"] for each in painted]
    assert list(series.columns["seconds"]) == [each["seconds"] for each in painted]
    assert there(series.columns["seam"]) == [None, *(each["seam"] for each in painted[1:])]
    assert list(series.columns["idle"]) == [100 * each["idle"] for each in painted]
    gib = [each["disk_free"] / (1 << 30) for each in painted]
    assert list(series.columns["disk_free"]) == pytest.approx(gib)
    assert "residue" not in series.columns  # it is no dive
    assert not series.happenings


def test_the_film_rate_is_what_was_committed_between_two_keyframes(tmp_path: Path) -> None:
    segment = {"type": "segment", "frames": 30}
    folder = told(tmp_path, keyframe(0), keyframe(1), segment, segment, keyframe(2), keyframe(3))
    assert there(look(folder).columns["film_rate"]) == [None, 0.0, 6.0, 0.0]


def test_sessions_and_steering_are_marked(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=None)
    with Engine(folder, alone=True) as running:
        running.until("SegmentWritten", segment=1)
        running.signal(signal.SIGKILL)
        running.end()
    first = look(folder).keyframes
    assert first >= 3
    steer(folder, prompt="another [b]", steps=9, keyframes=first + 3)
    assert engine(folder).code == 0
    with Project.open(folder) as opened:
        opened.mark(1, "the best")
    series = look(folder)
    changes = {"prompt": "another [b]", "steps": 9, "keyframes": first + 3}
    assert series.happenings == (
        Happening(1, "note", note="the best"),
        Happening(first, "steered", changes=changes),
        Happening(first, "resumed"),
    )
    assert math.isnan(series.columns["film_rate"][first])  # no engine rendered in between


def test_a_restart_after_a_crash_is_marked(tmp_path: Path) -> None:
    due = tmp_path / "due"
    due.write_text("5")  # the painter is 4 ahead of the film at the most
    folder = project(
        tmp_path / "a.zoom",
        painter="tests.painters:aborting_once",
        model=str(due),
        keyframes=6,
        workers=1,
    )
    assert engine(folder).code == 0
    (restarted,) = look(folder).happenings
    assert restarted.kind == "restarted"
    assert 2 <= restarted.keyframe <= 5  # the rest may not have been on the disk yet


def test_it_goes_on_with_a_growing_journal(tmp_path: Path) -> None:
    folder = make(tmp_path / "a.zoom", 50, steered=5, marks=3, takes=4)
    reader = SeriesReader(folder)
    before = reader.look()
    assert reader.look() is before
    with Project.open(folder) as opened:
        opened.add_keyframe(50, opened.load_keyframe(2), MADE)
        after = reader.look()
        assert after.to_json() == look(folder).to_json()
        assert (before.keyframes, after.keyframes) == (50, 51)
        opened.drop_steering(50)
        opened.rewind(rerolled(opened.history, 30, {"steps": 7}))
        assert reader.look().to_json() == look(folder).to_json()
        opened.add_keyframe(30, opened.load_keyframe(2), MADE)
        assert reader.look().happenings[-1] == Happening(30, "steered", changes={"steps": 7})


@pytest.mark.parametrize("seed", range(5))
def test_takes_and_steering_count_as_they_do_for_the_film(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    folder = make(tmp_path / "a.zoom", 12, steered=3, takes=2)
    reader = SeriesReader(folder)
    with Project.open(folder) as opened:
        picture = opened.load_keyframe(2)
        for number in range(40):
            history, count = opened.history, len(opened.keyframes)
            match rng.choice(["paint", "paint", "steer", "reroll", "choose"]):
                case "paint":
                    opened.add_keyframe(count, picture, {**MADE, "seconds": 1.0 + number})
                case "steer":
                    opened.steer({"steps": 1 + number}, count + rng.randrange(3))
                case "reroll" if count > 3:
                    changes = {"steps": 1 + number} if rng.random() < 0.5 else {}
                    opened.rewind(rerolled(history, rng.randrange(1, count), changes))
                case "choose" if count > 3:
                    film = {(each.keyframe, each.take) for each in history.keyframes}
                    others = history.not_chosen()
                    fitting = [e for e in others if (e.keyframe - 1, e.around) in film]
                    if fitting:
                        chosen = rng.choice(fitting)
                        opened.rewind(choosing(history, chosen.keyframe, chosen.take))
            found = reader.look()
            assert list(found.at) == [each.at for each in opened.keyframes]
            assert list(found.columns["seconds"]) == [each.seconds for each in opened.keyframes]
            steered: dict[int, Any] = {}
            for each in opened.history.steering:
                if each.from_keyframe < found.keyframes:
                    steered.setdefault(each.from_keyframe, {}).update(each.changes)
            marked = {each.keyframe: each.changes for each in found.happenings}
            assert marked == steered
    assert look(folder).to_json() == found.to_json()


def test_older_projects_have_gaps(tmp_path: Path) -> None:
    bare = dict.fromkeys(("keyframe", "length", "crc", "seed", "seam", "drift"), 0)
    folder = told(tmp_path, {"type": "keyframe", **bare, "at": 5.0, "seconds": 3.0}, keyframe(1))
    series = look(folder)
    assert there(series.columns["seam"]) == [None, 1.0]
    assert set(series.columns) == {"seconds", "seam", "drift", "film_rate"}


def test_given_pictures_took_no_time(tmp_path: Path) -> None:
    folder = told(tmp_path, keyframe(0, seconds=0.0, idle=0.0), keyframe(1, session=50.0))
    series = look(folder)
    assert there(series.columns["seconds"]) == [None, 2.0]
    assert not series.happenings  # the first session is not marked


def test_before_the_first_keyframe_there_is_nothing(tmp_path: Path) -> None:
    series = look(project(tmp_path / "a.zoom"))
    assert (series.keyframes, series.columns, series.happenings) == (0, {}, ())
    assert series.to_json() == {"keyframes": 0, "at": [], "curves": {}, "happenings": []}


def test_an_unfinished_record_at_the_end_is_left_out(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    whole = look(folder)
    with (folder / JOURNAL).open("ab") as file:
        file.write(b'["89abcdef",{"type":"keyfr')
    assert look(folder).to_json() == whole.to_json()


def test_damage_is_one_line(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    reader = SeriesReader(folder)
    whole, data = reader.look(), (folder / JOURNAL).read_bytes()
    (folder / JOURNAL).write_bytes(data.replace(b'"seconds":', b'"sec\0nds":', 1))
    with pytest.raises(ProjectError, match="is damaged"):
        reader.look()
    (folder / JOURNAL).write_bytes(data)
    assert reader.look().to_json() == whole.to_json()


@pytest.mark.parametrize(
    "record",
    [
        {"type": "song"},
        {"type": ["keyframe"]},
        keyframe(0, seconds="long"),
        keyframe(0, at=1e300),
        keyframe(0, gpu_percent={}),
        keyframe(0, take=1 << 60),
        {"type": "rewind", "keyframe": 0, "takes": [7]},
        {"type": "steer", "from_keyframe": -1, "changes": {}},
        {"type": "steer", "from_keyframe": 1, "changes": []},
    ],
)
def test_what_no_zoomtui_writes_is_one_line(tmp_path: Path, record: Record) -> None:
    with pytest.raises(ProjectError, match="upgrade zoomtui"):
        look(told(tmp_path, record))


def test_values_out_of_all_bounds_are_gaps(tmp_path: Path) -> None:
    mad = {"seconds": 1e308, "seam": -1e200, "written": [[[]]], "film_rate": 5, "idle": 1e-320}
    folder = told(tmp_path, keyframe(0), keyframe(1, **mad), {**keyframe(2, **mad), "type": "take"})
    series = look(folder)
    assert there(series.columns["seconds"]) == [2.0, None]
    assert there(series.columns["seam"]) == [1.0, None]


def test_a_prompt_that_is_no_text_comes_back(tmp_path: Path) -> None:
    steered = {"type": "steer", "from_keyframe": 0, "changes": {"prompt": "a \udcff"}}
    assert look(told(tmp_path, steered, keyframe(0))).happenings[0].changes == {
        "prompt": "a \udcff"
    }


def test_every_curve_has_a_column_in_the_json(tmp_path: Path) -> None:
    every = {name: 1.5 for name in CURVES if name != "film_rate"}
    folder = told(tmp_path, keyframe(0, **every), keyframe(1, **every))
    curves = look(folder).to_json()["curves"]
    assert list(curves) == list(CURVES)
    assert curves["idle"]["values"] == [150.0, 150.0]
    assert curves["film_rate"]["values"] == [None, 0.0]


def test_rewinding_past_the_end_changes_nothing(tmp_path: Path) -> None:
    folder = make(tmp_path / "a.zoom", 5)
    with Project.open(folder) as opened:
        opened.rewind(Rewind(5))
    assert look(folder).keyframes == 5
