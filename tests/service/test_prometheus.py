"""Metrics of renders, as Prometheus' own parser reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from renderer.engine.events import Phase
from renderer.engine.facts import Facts, facts_of_engine, facts_of_project
from renderer.engine.state import RenderState, apply
from renderer.project.status import State, read_status
from renderer.service.prometheus import exposition
from tests.engine.runs import project, render


def samples(*renders: Facts) -> dict[tuple[str, str], float]:
    """(name, project) → value; what holds by a second label, by the names of both."""
    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(exposition(renders)):
        assert family.documentation
        for sample in family.samples:
            labels = dict(sample.labels)
            folder = labels.pop("project")
            key = ".".join((sample.name, *labels.values())), folder
            assert key not in found
            found[key] = sample.value
    return found


def test_a_finished_film_and_one_that_has_not_begun(tmp_path: Path) -> None:
    done, new = project(tmp_path / "done.zoom"), project(tmp_path / "new.zoom", keyframes=None)
    render(done)
    status = read_status(done)
    found = samples(*(facts_of_project(read_status(each)) for each in (done, new)))
    of_done = {name: value for (name, folder), value in found.items() if folder == str(done)}
    assert of_done["zoomtui_up"] == 0
    assert of_done["zoomtui_keyframes_total"] == of_done["zoomtui_keyframes_wanted"] == 4
    assert of_done["zoomtui_film_bytes"] == (done / "film.mp4").stat().st_size
    assert of_done["zoomtui_film_seconds"] == 16 / 30
    assert of_done["zoomtui_seconds_per_keyframe"] == status.seconds_per_keyframe
    assert of_done["zoomtui_left_seconds"] == 0
    assert of_done["zoomtui_state.finished"] == 1
    assert sum(value for name, value in of_done.items() if "_state" in name) == 1
    of_new = {name for name, folder in found if folder == str(new)}
    assert "zoomtui_keyframes_total" in of_new
    unknown = {"zoomtui_keyframes_wanted", "zoomtui_left_seconds", "zoomtui_seconds_per_keyframe"}
    assert not unknown & of_new


def test_any_name_of_a_folder_is_one_label(tmp_path: Path) -> None:
    names = ['a "quoted" one', "back\\slash\\n", "two\nlines", '{a="b"} 1', "sea é 海", "a\udcff"]
    facts = facts_of_project(read_status(project(tmp_path / "a.zoom")))
    found = samples(*(replace(facts, project=name) for name in names))
    shown = {folder for _, folder in found}
    assert shown == {*names[:-1], "a\\udcff"}


def test_what_only_the_engine_knows_is_taken_from_it(tmp_path: Path) -> None:
    status = replace(read_status(project(tmp_path / "a.zoom")), state=State.RUNNING)
    paused = RenderState(phase=Phase.PAUSED)
    assert facts_of_project(status, paused).state is State.PAUSED
    rates = ((0.0, 0, 0), (2.0, 6, 9))
    engine = RenderState(progress=rates, frames=6, frames_per_keyframe=5, total_keyframes=4)
    assert facts_of_project(status, engine).left == 10 / 3
    assert facts_of_project(replace(status, state=State.STOPPED), engine).left is None


def test_an_engine_says_by_itself_how_it_stands(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    state = RenderState()
    for number, event in enumerate(render(folder)):
        state = apply(state, event, float(number))
    said, read = facts_of_engine(state), facts_of_project(read_status(folder))
    alike = ("project", "state", "keyframes", "total", "frames", "total_frames", "seconds", "size")
    assert [getattr(said, name) for name in alike] == [getattr(read, name) for name in alike]
    assert samples(said)[("zoomtui_keyframes_total", str(folder))] == 4
