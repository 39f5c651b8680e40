"""What a render will come to, before anything is painted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from renderer.planning.estimate import PNG_BYTES_PER_PIXEL, Estimate
from renderer.settings.codecs import FILM_BITS_PER_PIXEL
from renderer.settings.render import RenderSettings

FILM = RenderSettings(
    keyframe_size=(512, 512), size=(512, 512), keyframes=11, frames_per_keyframe=60, codec="av1"
)


def test_the_figures_of_a_film_with_an_end(tmp_path: Path) -> None:
    estimate = Estimate.of(tmp_path / "deep" / "reef.zoom", FILM)
    assert estimate.frames == 10 * 60 + 1
    assert estimate.seconds == 601 / 30
    assert estimate.canvas == (768, 768)
    assert estimate.disk is not None
    assert 1e6 < estimate.disk < 1e9
    assert estimate.free is not None


@pytest.mark.parametrize("where", ["/", f"/tmp/{'n' * 300}/reef.zoom", "/dev/null/reef.zoom"])
def test_the_disk_of_a_folder_that_can_not_be_is_told_all_the_same(where: str) -> None:
    assert Estimate.of(Path(where), FILM).free is not None


def test_a_film_without_end_is_told_by_the_hour(tmp_path: Path) -> None:
    estimate = Estimate.of(tmp_path / "reef.zoom", FILM.changed({"keyframes": "inf"}))
    assert (estimate.frames, estimate.seconds, estimate.disk) == (None, None, None)
    text = "\n".join(estimate.lines())
    assert "until stopped; 60 frames (2.0 s) a keyframe" in text
    assert "an hour of film" in text


@pytest.mark.parametrize(("kept", "pictures"), [("all", 11), ("2", 3), ("40", 11), ("marks", 9)])
def test_pictures_that_do_not_stay_take_no_disk(tmp_path: Path, kept: str, pictures: int) -> None:
    disk = Estimate.of(tmp_path, FILM.changed({"keyframes_kept": kept})).disk
    film = 11 * 60 * 512 * 512 * FILM_BITS_PER_PIXEL / 8
    assert disk == film + pictures * 768 * 768 * PNG_BYTES_PER_PIXEL


def test_an_hour_of_a_film_that_keeps_few_pictures_is_the_film_alone(tmp_path: Path) -> None:
    endless = FILM.changed({"keyframes": "inf", "keyframes_kept": "100"})
    hour = 3600 * 30 * 512 * 512 * FILM_BITS_PER_PIXEL / 8
    assert Estimate.of(tmp_path, endless).disk_per_hour == pytest.approx(hour)


def test_the_lines_say_sizes_frames_length_and_disk(tmp_path: Path) -> None:
    text = "\n".join(Estimate.of(tmp_path / "reef.zoom", FILM).lines())
    for part in ("512x512, canvas 768x768", "zoom factor 1.5", "30 frames/s, av1", "11 keyframes"):
        assert part in text
    assert "601 frames, 20.0 s" in text
    assert "free" in text


def test_as_json_it_holds_the_settings_as_the_project_would(tmp_path: Path) -> None:
    values = json.loads(json.dumps(Estimate.of(tmp_path / "reef.zoom", FILM).to_json()))
    assert values["frames"] == 601
    assert values["settings"]["size"] == "512x512"
    assert values["settings"]["keyframes"] == 11
