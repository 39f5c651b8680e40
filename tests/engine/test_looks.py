"""What colours are held to where a prompt changes them: first nothing, then what it led to."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from renderer.engine.events import Event, KeyframeReady
from renderer.engine.looks import Looks
from renderer.images import load_picture
from renderer.journal import read_journal, write_journal
from renderer.painting.colour_match import MEAN_SLACK, Reference
from renderer.project.copy import branch_project
from renderer.project.create import create_project
from renderer.project.project import Project
from renderer.project.records import JOURNAL, keyframe_path
from renderer.project.rewinding import rerolled, rewound
from tests.engine.runs import digest, project, render, small, steer, stop_at
from tests.painters import Following

START, BLEND, SETTLES = 3, 2, 10
COMPLETE = START + BLEND
SETTLED = COMPLETE + SETTLES
COUNT = SETTLED + 7
NIGHT, DAY = Following.LIGHTS["night"], Following.LIGHTS["day"]


def dawn(folder: Path, **changes: object) -> Path:
    """From night to day, the plan of a whole film. A feather on so narrow borders would take back
    whatever the guard adds to them."""
    plain = {"painter": "tests.painters:following", "prompt": "night", "keyframes": COUNT}
    settings = small(**plain | {"prompt_blend": BLEND, "feather": 0} | changes)
    create_project(folder, settings, changes=[(START, {"prompt": "day"})])
    return folder


def light(folder: Path, keyframe: int) -> float:
    """Mean of a keyframe."""
    return float(load_picture(keyframe_path(folder, keyframe)).mean())


def painted(keyframe: int, event: Event) -> bool:
    return isinstance(event, KeyframeReady) and event.keyframe == keyframe


def looks_of(folder: Path, count: int) -> list[int | None]:
    with Project.open(folder) as opened:
        return [
            opened.history.timeline.look_at(opened.settings, keyframe) for keyframe in range(count)
        ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = dawn(tmp_path_factory.mktemp("dawn") / "a.zoom")
    render(folder)
    return folder


def test_a_night_that_turns_to_day_arrives(whole: Path) -> None:
    lights = [light(whole, keyframe) for keyframe in range(COUNT)]
    print([round(each) for each in lights])  # noqa: T201
    assert lights[START - 1] == pytest.approx(NIGHT, abs=4)
    assert lights[SETTLED] >= NIGHT + 0.95 * (DAY - NIGHT)
    assert min(lights[SETTLED:]) >= NIGHT + 0.95 * (DAY - NIGHT)


def test_the_figure_of_drift_begins_anew_with_the_day(whole: Path) -> None:
    with Project.open(whole) as opened:
        drifts = [stored.drift for stored in opened.keyframes]
    assert drifts[START : SETTLED + 1] == [0] * (SETTLED + 1 - START)
    assert 0 < max(drifts[SETTLED + 1 :]) < 12


def test_nothing_holds_while_the_prompt_changes_and_then_what_it_led_to(whole: Path) -> None:
    expected = [0] * START + [None] * (SETTLED + 1 - START) + [SETTLED] * (COUNT - SETTLED - 1)
    assert looks_of(whole, COUNT) == expected
    with Project.open(whole) as opened:
        looks = Looks(opened)
        first, later = looks.reference(START - 1), looks.reference(COUNT)
    assert first == Reference.of(load_picture(keyframe_path(whole, 0)))
    assert later == Reference.of(load_picture(keyframe_path(whole, SETTLED)))


def test_from_then_on_what_it_led_to_is_held_to(tmp_path: Path) -> None:
    folder = dawn(tmp_path / "a.zoom", keyframes=SETTLED + 1)
    render(folder)
    dim = SETTLED + 1 + BLEND + SETTLES
    steer(folder, prompt="dimmer", keyframes=dim + 40)
    render(folder)
    day, dimmed, last = (light(folder, keyframe) for keyframe in (SETTLED, dim, dim + 39))
    assert day - dimmed > 20  # it got as dark as it would
    balance = Following.DIMMER / 0.15  # where the guard takes back what each border loses
    assert MEAN_SLACK < dimmed - last < MEAN_SLACK + 1.2 * balance


def test_small_zooms_take_longer_until_the_picture_is_full_of_it(tmp_path: Path) -> None:
    folder = dawn(tmp_path / "a.zoom", zoom_factor=1.05)
    settled = COMPLETE + 31  # 1.05 ** (2 * 31) is 20
    assert looks_of(folder, settled + 2)[-3:] == [None, None, settled]


def test_a_prompt_that_comes_before_the_last_one_has_settled_begins_anew(tmp_path: Path) -> None:
    folder = dawn(tmp_path / "a.zoom")
    with Project.open(folder) as opened:
        opened.steer({"prompt": "noon"}, COMPLETE + 4)
        opened.steer({"prompt": "noon", "steps": 9}, COMPLETE + 6)  # no change of prompt
    settled = COMPLETE + 4 + BLEND + SETTLES
    looks = looks_of(folder, settled + 2)
    assert set(looks[START:-1]) == {None}
    assert looks[-1] == settled


def test_a_steered_prompt_counts_as_a_planned_one(whole: Path, tmp_path: Path) -> None:
    folder = project(
        tmp_path / "a.zoom",
        painter="tests.painters:following",
        prompt="night",
        prompt_blend=BLEND,
        feather=0,
        keyframes=START,
    )
    render(folder)
    steer(folder, prompt="day", keyframes=COUNT)
    render(folder)
    for keyframe in range(COUNT):
        one, other = (load_picture(keyframe_path(each, keyframe)) for each in (whole, folder))
        assert (one == other).all()


@pytest.mark.parametrize("changes", [{}, {"keyframes_kept": "2"}], ids=["all kept", "two kept"])
def test_a_film_that_was_left_meanwhile_is_the_same(
    whole: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    folder = dawn(tmp_path / "a.zoom", **changes)
    for last in (START, COMPLETE + 3, SETTLED, SETTLED + 1, SETTLED + 4):
        stop_at(folder, partial(painted, last))
    render(folder)
    assert digest(folder) == digest(whole)


@pytest.mark.parametrize("keyframe", [START, COMPLETE + 2, SETTLED, SETTLED + 3])
def test_a_film_that_is_rewound_or_branched_goes_on_alike(
    whole: Path, tmp_path: Path, keyframe: int
) -> None:
    branch = tmp_path / "branch.zoom"
    branch_project(whole, branch, keyframe, {}, lambda done, total: None)
    render(branch)
    assert digest(branch) == digest(whole)
    with Project.open(branch) as opened:
        opened.rewind(rewound(opened.history, keyframe))
    render(branch)
    assert digest(branch) == digest(whole)


def test_another_take_of_the_keyframe_that_settled_is_what_is_held_to(
    whole: Path, tmp_path: Path
) -> None:
    branch = tmp_path / "branch.zoom"
    branch_project(whole, branch, SETTLED, {}, lambda done, total: None)
    with Project.open(branch) as opened:
        opened.rewind(rerolled(opened.history, SETTLED, {}))
    render(branch)
    with Project.open(branch) as opened:
        found = Looks(opened).reference(COUNT)
        assert found == Reference.of(opened.load_keyframe(SETTLED))
    assert found != Reference.of(load_picture(keyframe_path(whole, SETTLED)))


@pytest.fixture
def older(whole: Path, tmp_path: Path) -> Path:
    """A project whose journal was written before looks were."""
    branch = tmp_path / "older.zoom"
    branch_project(whole, branch, SETTLED + 3, {}, lambda done, total: None)
    records = [dict(record) for record in read_journal(branch / JOURNAL)]
    for record in records:
        record.pop("look", None)
    write_journal(branch / JOURNAL, records)
    assert '"look"' not in json.dumps(read_journal(branch / JOURNAL))
    return branch


def test_an_older_project_goes_on_by_its_pictures(whole: Path, older: Path) -> None:
    render(older)
    assert digest(older) == digest(whole)


def test_an_older_project_that_did_not_keep_them_goes_on_unguarded(older: Path) -> None:
    steer(older, keyframes_kept="2")
    keyframe_path(older, SETTLED).unlink()
    with Project.open(older) as opened:
        assert Looks(opened).reference(COUNT) is None
    render(older)
    assert light(older, COUNT - 1) == pytest.approx(DAY, abs=8)
