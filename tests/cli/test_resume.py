"""`zoomtui resume`: going on, lengthening, changing what comes, and what can't be changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from renderer.images import read_provenance
from renderer.project.status import State, read_status
from tests.cli.processes import Answer, film_frames, zoomtui, zoomtui_here
from tests.engine.runs import digest


@pytest.mark.slow
def test_a_film_is_lengthened(finished: Path) -> None:
    answer = zoomtui("resume", finished.name, "--keyframes", "5", cwd=finished.parent)
    assert answer.code == 0, answer.err
    assert answer.lines[0].startswith("resuming reef.zoom: 3/5 keyframes, 8/17 frames done")
    assert film_frames(finished) == 4 * 4 + 1


def test_a_killed_render_goes_on_with_what_is_asked_for_next(killed: Path) -> None:
    answer = zoomtui(
        "resume", killed.name, "--painter", "tests.painters:gradient", "--prompt", "at night",
        "--negative-prompt", "fish", "--seed", "99", "--method", "sequential", "--steps", "3",
        cwd=killed.parent,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert film_frames(killed) == 4 * 4 + 1
    before = read_provenance(killed / "keyframes" / "000001.png")
    after = read_provenance(killed / "keyframes" / "000002.png")
    assert (before["prompt"], before["method"]) == ("", "direct")
    assert (after["prompt"], after["method"]) == ("at night", "sequential")
    assert (after["negative_prompt"], after["steps"]) == ("fish", 3)


def test_resuming_what_is_finished_says_so(finished: Path) -> None:
    before = digest(finished)
    answer = zoomtui("resume", finished.name, cwd=finished.parent)
    assert answer.code == 0
    assert "finished: 3 keyframes" in answer.out
    assert digest(finished) == before


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--fps", "25"), ["fps is fixed at 30"]),
        (("--size", "128x64"), ["size is fixed at 64x64"]),
        (("--keyframe-size", "128x64"), ["keyframe_size is fixed at 64x64"]),
        (("--zoom-factor", "2"), ["zoom_factor is fixed at 1.5"]),
        (("--outpaint-size", "32"), ["zoom_factor is fixed at 1.5"]),
        (("--frames-per-keyframe", "8"), ["frames_per_keyframe is fixed at 4"]),
        (("--seconds-per-keyframe", "8"), ["frames_per_keyframe is fixed at 4"]),
        (("--codec", "av1"), ["codec is fixed at h264"]),
        (("--crf", "30"), ["crf is fixed at default"]),
        (("--preset", "slow"), ["preset is fixed at ultrafast"]),
        (("--encoder-option", "tune=film"), ["encoder_options is fixed"]),
        (("--keyframes", "2"), ["keyframes can't be 2: 3 are painted already"]),
        (("--prompt", "new"), ["finished with 3 keyframes", "--keyframes"]),
    ],
)
def test_what_would_contradict_the_film_is_refused_with_the_reason(
    rendered: tuple[Path, Answer], options: tuple[str, ...], parts: list[str]
) -> None:
    folder, _ = rendered
    before = digest(folder)
    answer = zoomtui_here("resume", folder.name, *options, cwd=folder.parent)
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.count("\n") == 1
    for part in parts:
        assert part in answer.err
    assert digest(folder) == before
    assert read_status(folder).state is State.FINISHED


@pytest.mark.slow
def test_saying_again_what_a_film_is_contradicts_nothing(finished: Path) -> None:
    again = ("--size", "64x64", "--fps", "30", "--codec", "h264", "--zoom-factor", "1.5")
    answer = zoomtui("resume", finished.name, *again, "--keyframes", "4", cwd=finished.parent)
    assert answer.code == 0, answer.err


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--painter", "textur"), "did you mean 'texture'"),
        (("--painter", "diffusion"), "needs a prompt"),
        (("--steps", "0"), "steps must be at least 1"),
        (("--outpaint-size", "9", "--zoom-factor", "2"), "only one of them"),
    ],
)
def test_a_change_that_can_not_be_is_refused_and_not_remembered(
    killed: Path, options: tuple[str, ...], part: str
) -> None:
    before = (killed / "journal.jsonl").read_bytes()
    answer = zoomtui_here("resume", killed.name, *options, cwd=killed.parent)
    assert (answer.code, answer.out) == (2, "")
    assert part in answer.err
    assert (killed / "journal.jsonl").read_bytes() == before
