"""A film painted smaller than its keyframes, by real models with random weights."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import av
import pytest

from renderer.engine.events import KeyframeReady, RenderFailed
from renderer.errors import SettingsError
from renderer.images import load_picture, read_provenance
from renderer.project.project import Project
from renderer.project.records import keyframe_path
from tests.engine.runs import (
    Engine,
    assert_playable,
    digest,
    engine,
    of,
    project,
    render,
    steer,
    stop_at,
)
from tests.painting.upscalers import compact, saved, span


def enlarged(folder: Path, **changes: Any) -> Path:
    """A project whose painter paints 64 pixels of 128."""
    upscaler = saved(compact(2), folder.parent / "a.safetensors")
    how = {
        "painter": "tests.painting.upscalers:grainy",
        "keyframe_size": (128, 128),
        "size": (128, 128),
        "upscale": 2,
        "upscaler": str(upscaler),
    }
    return project(folder, **(how | changes))


def test_a_film_that_is_stopped_and_resumed_is_the_same_and_says_how_it_was_made(
    tmp_path: Path,
) -> None:
    whole, parted = enlarged(tmp_path / "a.zoom"), enlarged(tmp_path / "b.zoom")
    render(whole)
    stop_at(parted, lambda event: isinstance(event, KeyframeReady) and event.keyframe == 2)
    render(parted)
    assert digest(whole) == digest(parted)
    assert_playable(whole, frames=16)
    with av.open(str(whole / "film.mp4")) as film:
        assert (film.streams.video[0].width, film.streams.video[0].height) == (128, 128)
    assert load_picture(keyframe_path(whole, 1)).shape == (192, 192, 3)
    made = read_provenance(keyframe_path(whole, 1))
    assert (made["upscale"], Path(made["upscaler"]).name) == (2, "a.safetensors")


@pytest.mark.slow
def test_a_film_that_is_killed_and_resumed_is_the_same(tmp_path: Path) -> None:
    whole, killed = enlarged(tmp_path / "a.zoom"), enlarged(tmp_path / "b.zoom")
    assert engine(whole).code == 0
    with Engine(killed, alone=True) as running:
        running.until("KeyframeReady", keyframe=1)
        running.signal(signal.SIGKILL)
    assert engine(killed).code == 0
    assert digest(whole) == digest(killed)


def test_another_upscaler_counts_from_the_next_keyframe_and_the_factor_stays(
    tmp_path: Path,
) -> None:
    folder = enlarged(tmp_path / "a.zoom")
    render(folder)
    other = saved(span(4), tmp_path / "b.safetensors")
    steer(folder, upscaler=str(other), keyframes=5)
    render(folder)
    assert read_provenance(keyframe_path(folder, 3))["upscaler"].endswith("a.safetensors")
    assert read_provenance(keyframe_path(folder, 4))["upscaler"] == str(other)
    with Project.open(folder) as opened, pytest.raises(SettingsError, match="upscale"):
        opened.steer({"upscale": 4})


def test_an_upscaler_that_is_gone_ends_the_render_with_one_line(tmp_path: Path) -> None:
    folder = enlarged(tmp_path / "a.zoom")
    (tmp_path / "a.safetensors").unlink()
    (failed,) = of(render(folder), RenderFailed)
    assert failed.message.startswith(f"upscaler {tmp_path / 'a.safetensors'} can't be loaded")
