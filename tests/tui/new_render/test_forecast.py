"""What the form promises: arithmetic over settings and earlier renders; n/a where it can't be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from renderer.planning.defaults import Plan, fill_in
from renderer.project import registry
from zoomtui.tui.new_render import forecast
from zoomtui.tui.new_render.forecast import Gpu, Surroundings, Survey
from zoomtui.tui.shared.styled_text import Line

GIB = 1 << 30


def plan(**wishes: Any) -> Plan:
    return fill_in({"prompt": "a reef", "painter": "diffusion", "seed": 1, **wishes})


def survey(
    tmp_path: Path, seconds: float | None = None, gpu: Gpu | None = None, **wishes: Any
) -> Survey:
    made = plan(**wishes)
    alike = ((forecast.likeness(made.settings), seconds),) if seconds is not None else ()
    return forecast.survey(tmp_path / "x.zoom", made.settings, Surroundings(alike, gpu))


def words(lines: list[Line]) -> str:
    return "\n".join("".join(text for text, _ in line) for line in lines)


def test_without_earlier_renders_the_pace_is_not_guessed(tmp_path: Path) -> None:
    said = words(forecast.forecast_lines(survey(tmp_path), 60))
    assert "not known before the first one" in said
    assert "GPU       n/a" in said


def test_a_line_that_is_too_long_for_the_pane_goes_on_under_itself(tmp_path: Path) -> None:
    narrow = forecast.forecast_lines(survey(tmp_path), 34)
    said = [words([line]) for line in narrow]
    first = said.index("needs     ! about 4.0 GiB of GPU")
    assert said[first + 1] == "          memory; without a GPU it"
    assert said[first + 2] == "          is slow"
    assert all(cell_len(line) <= 34 for line in said)


def test_the_pace_gives_real_time_factor_film_and_disk_an_hour(tmp_path: Path) -> None:
    said = words(forecast.forecast_lines(survey(tmp_path, 4.0), 90))
    assert "≈ 4.0 s  from 1 earlier render" in said
    assert "0.5× real time · 30 min 00 s of film an hour" in said
    assert "lasts" in said


def test_an_end_gives_the_length_the_time_and_all_of_the_disk(tmp_path: Path) -> None:
    said = words(forecast.forecast_lines(survey(tmp_path, 3.0, keyframes=11), 90))
    assert "11 keyframes, 20.0 s of film" in said
    assert "takes     ≈ 33.0 s" in said
    assert "in all" in said


@pytest.mark.parametrize(
    ("free", "expected"),
    [(80 * GIB, "✔ about 4.0 GiB of GPU memory, fits"), (GIB, "✗ about 4.0 GiB"), (None, "n/a")],
)
def test_whether_the_model_fits_is_said_by_sign_and_word(
    free: int | None, expected: str, tmp_path: Path
) -> None:
    found = survey(tmp_path, gpu=Gpu("NVIDIA H100", free))
    assert expected in words(forecast.forecast_lines(found, 90))


def test_the_texture_painter_needs_no_gpu(tmp_path: Path) -> None:
    found = survey(tmp_path, painter="texture")
    assert "✔ no GPU needed" in words(forecast.brief_lines(found, 80))


def test_a_model_that_nobody_has_measured_needs_nobody_knows_what(tmp_path: Path) -> None:
    found = survey(tmp_path, model="someone/something", gpu=Gpu("H100", 80 * GIB))
    assert "GPU memory n/a" in words(forecast.brief_lines(found, 80))


@pytest.mark.parametrize("width", [20, 42, 80])
def test_lines_are_cut_to_the_pane(width: int, tmp_path: Path) -> None:
    found = survey(tmp_path, 3.0, keyframes=11, gpu=Gpu("NVIDIA H100 80GB HBM3", 80 * GIB))
    for make in (forecast.forecast_lines, forecast.brief_lines):
        for line in make(found, width):
            assert sum(cell_len(text) for text, _ in line) <= width


def test_a_film_painted_smaller_says_at_what_size(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").touch()
    wishes = {"model": "sd2", "upscale": 2, "upscaler": str(tmp_path / "a.safetensors")}
    said = words(forecast.forecast_lines(survey(tmp_path, **wishes), 90))
    assert "painted   1024x1024, canvas 1536x1536; painted at 512x512, enlarged 2 times" in said
    usual, larger = plan(model="sd2"), plan(**wishes)
    assert forecast.likeness(usual.settings) != forecast.likeness(larger.settings)


def test_renders_are_alike_in_painter_model_steps_and_canvas() -> None:
    like = forecast.likeness
    assert like(plan().settings) == like(plan(seed=9, fps=24, codec="av1").settings)
    assert like(plan(model="sd2").settings) == like(plan(model="sd-2").settings)
    for other in ({"steps": 3}, {"model": "sdxl"}, {"zoom_factor": 2.0}, {"method": "sequential"}):
        assert like(plan().settings) != like(plan(**other).settings)


def test_the_pace_is_taken_from_the_renders_that_are_known(
    finished: Path, tmp_path: Path, empty_state: Path
) -> None:
    assert forecast.look_around().history == ()
    registry.remember(finished)
    registry.remember(tmp_path / "gone.zoom")
    ((like, seconds),) = forecast.look_around().history
    assert like[0] == "tests.painters:gradient"
    assert seconds > 0
