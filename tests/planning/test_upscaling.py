"""Painting smaller: what sizes follow from it, and what it needs, said before anything is made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from renderer.errors import SettingsError
from renderer.painting.geometry import Geometry
from renderer.planning import cpu_pace
from renderer.planning.cpu_pace import seconds_on_cpu
from renderer.planning.defaults import Plan, changes, fill_in
from renderer.planning.estimate import Estimate


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "soft.safetensors"
    path.touch()
    return path


def plan(file: Path | None, **wishes: Any) -> Plan:
    named = {} if file is None else {"upscaler": str(file)}
    return fill_in({"prompt": "a reef", "model": "sd2", "upscale": 2, **named, **wishes})


def test_the_film_is_so_many_times_larger_and_the_painter_paints_what_it_would_anyway(
    file: Path,
) -> None:
    usual = fill_in({"prompt": "a reef", "model": "sd2"}).settings
    for factor in (2, 4):
        settings = plan(file, upscale=factor).settings
        width, height = usual.keyframe_size
        assert settings.keyframe_size == settings.size == (factor * width, factor * height)
        assert settings.canvas_multiple == factor * usual.size_multiple
        assert (settings.overmask, settings.feather) == (factor * 8, factor * 48)
        small = settings.painted_smaller()
        assert Geometry.of(small) == Geometry.of(usual)
        canvas = Geometry.of(settings).canvas_size
        assert canvas == tuple(factor * side for side in Geometry.of(usual).canvas_size)


@pytest.mark.parametrize("painter", ["texture", "diffusion"])
def test_a_size_that_is_given_is_the_films(painter: str, file: Path) -> None:
    given = {"painter": painter, "size": "1920x1080", "upscale": 4}
    if painter == "texture":
        given["model"] = ""
    settings = plan(file, **given).settings
    assert settings.size == (1920, 1080)
    width, height = settings.keyframe_size
    assert width % 32 == height % 32 == 0
    assert width >= 1920
    assert abs(width / height - 16 / 9) < 0.05


def test_a_soft_film_is_told_of_it(file: Path) -> None:
    said = "\n".join(fill_in({"prompt": "a", "model": "sd2", "size": "1920x1080"}).notes)
    assert "--upscale 4 --upscaler FILE enlarges what is painted, --size " in said
    said = "\n".join(fill_in({"prompt": "a", "model": "sd2", "size": "800x800"}).notes)
    assert "--upscale 2 --upscaler FILE" in said
    said = "\n".join(plan(file, size="3840x2160", upscale=4).notes)
    assert "soft" in said
    assert "--upscale" not in said
    assert plan(file, size="1920x1080", upscale=4).notes == ()


def test_estimate_and_pace_say_what_is_really_painted(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_pace, "operations_a_second", lambda: 1e11)
    usual = fill_in({"prompt": "a reef", "model": "sd2"}).settings
    settings = plan(file).settings
    assert seconds_on_cpu(settings) == seconds_on_cpu(usual)
    (line,) = [each for each in Estimate.of(file, settings).lines() if each.startswith("keyframe")]
    assert line.endswith("; painted at 512x512, enlarged 2 times")


@pytest.mark.parametrize(
    ("wishes", "field", "says"),
    [
        ({"upscaler": None}, "upscaler", "name one, --upscaler FILE.safetensors"),
        ({"upscaler": "a.pth"}, "upscaler", "may run code when opened"),
        ({"upscaler": "nowhere.safetensors"}, "upscaler", "there is no such file"),
        ({"upscaler": "~no-such-user/a.safetensors"}, "upscaler", "there is no such file"),
        ({"upscaler": f"{'n' * 300}/a.safetensors"}, "upscaler", "there is no such file"),
        ({"upscaler": "a\0b.safetensors"}, "upscaler", "there is no such file"),
        ({"upscale": 1}, "upscaler", "enlarges nothing without --upscale 2 or 4"),
        ({"upscale": 3}, "upscale", "unknown upscale 3"),
        ({"method": "refine"}, "upscale", "a dive"),
        ({"keyframe_size": "100x100"}, "keyframe_size", "multiples of 16"),
        ({"keyframe_size": "96x96"}, "keyframe_size", "each side at least 128"),
    ],
)
def test_what_can_not_be_enlarged_is_refused(
    wishes: dict[str, Any], field: str, says: str, file: Path
) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        plan(file, **wishes)
    assert caught.value.field == field


def test_without_spandrel_one_line_says_how_to_get_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(SettingsError, match=r"pip install 'zoomtui\[upscale\]'") as caught:
        plan(file)
    assert caught.value.field == "upscale"


def test_another_upscaler_or_model_may_come_later_with_what_suits_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    now = plan(file).settings
    (file.parent / "b.safetensors").touch()
    assert changes(now, {"upscaler": "b.safetensors"}) == {
        "upscaler": str(file.parent / "b.safetensors")
    }
    changed = changes(now, {"model": "sd15"})
    assert changed["size_multiple"] == now.size_multiple
    assert (changed["overmask"], changed["feather"]) == (now.overmask, now.feather)
    with pytest.raises(SettingsError, match="upscale is for films that zoom out"):
        changes(now, {"method": "refine"})
