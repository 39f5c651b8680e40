"""`zoomtui render`, run as users run it: what it says, what it makes, how it is stopped."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import av
import pytest
from PIL import Image

from renderer.formatting import shortened
from renderer.images import read_provenance
from renderer.project.records import keyframe_path
from renderer.project.status import State, read_status
from tests.cli.processes import (
    FRAMES,
    PATIENCE,
    QUICK,
    Answer,
    Running,
    command,
    environment,
    film_frames,
    painter,
    settings_of,
    zoomtui,
)
from tests.engine.runs import assert_promise, digest
from tests.marks import first_of

# --- what it says --------------------------------------------------------------------------------


def test_a_render_is_one_plain_line_a_keyframe_and_a_segment(
    rendered: tuple[Path, Answer],
) -> None:
    folder, answer = rendered
    lines = answer.lines
    assert lines[0] == "seed 11"
    assert lines[1] == f"rendering reef.zoom: {FRAMES} frames"
    for number in (1, 2, 3):
        (line,) = [line for line in lines if line.startswith(f"keyframe {number}/3  painted in")]
    for number, done in ((1, 4), (2, 8), (3, 9)):
        (line,) = [line for line in lines if line.startswith(f"segment {number}  ")]
        assert f"{done}/{FRAMES} frames" in line
        assert "frames/s" in line
    assert lines[-3].startswith(f"finished: 3 keyframes, {FRAMES} frames, 0.3 s")
    assert lines[-2] == f"film       {folder}/film.mp4"
    assert lines[-1].startswith("watch      mpv reef.zoom/film.mp4")
    assert "\x1b" not in answer.out
    assert answer.err == ""
    assert film_frames(folder) == FRAMES


def test_json_is_one_event_a_line_in_the_order_that_is_promised(tmp_path: Path) -> None:
    answer = zoomtui("render", "a reef", *QUICK, "--json", "--headless", cwd=tmp_path)
    said = [json.loads(line) for line in answer.lines]
    assert_promise(said)
    assert said[-1]["event"] == "RenderFinished"
    assert said[-1]["frames"] == FRAMES
    assert answer.err == ""
    assert (answer.code, answer.out[-1]) == (0, "\n")
    assert (tmp_path / "a-reef.zoom" / "film.mp4").exists()


@pytest.mark.slow
def test_a_reader_that_goes_away_does_not_end_a_render(tmp_path: Path) -> None:
    with Running("render", *QUICK, "--json", "--out", "reef.zoom", cwd=tmp_path) as running:
        running.until("RenderStarted")
        running.hang_up()
        assert running.end() == 0
    assert read_status(tmp_path / "reef.zoom").state is State.FINISHED


@pytest.mark.parametrize("redirection", first_of(["<&- >&- 2>&-", ">/dev/full"]))
def test_the_film_is_the_same_whether_or_not_anybody_can_listen(
    rendered: tuple[Path, Answer], tmp_path: Path, redirection: str
) -> None:
    line = subprocess.list2cmdline(command("render", "a reef", *QUICK, "--out", "reef.zoom"))
    done = subprocess.run(
        f"{line} {redirection}",
        shell=True,
        cwd=tmp_path,
        env=environment(),
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0
    assert digest(tmp_path / "reef.zoom") == digest(rendered[0])


HARD_PROMPTS = {
    "strange": (
        "[red]x[/red] [/] [bold a\x1b[2J\x1b]0;title\x07b\x9b31m שלום \u202eעולם\nsecond\r\n\ttab "
        """it's "quoted" \\ 'there' 👩\u200d🚀"""
    ),
    "very long": "coral " * 2000,
}


@pytest.mark.parametrize("kind", first_of(HARD_PROMPTS))
def test_any_prompt_is_shown_safely_and_stored_exactly(tmp_path: Path, kind: str) -> None:
    prompt = HARD_PROMPTS[kind]
    answer = zoomtui("render", prompt, *QUICK, cwd=tmp_path)
    assert answer.code == 0, answer.err
    (folder,) = tmp_path.iterdir()
    assert settings_of(folder).prompt == prompt
    assert read_provenance(folder / "keyframes" / "000001.png")["prompt"] == prompt
    shown = zoomtui("status", folder.name, cwd=tmp_path).out
    assert all(c.isprintable() or c in "\n\u200d" for c in answer.out + shown)
    assert f"prompt     {shortened(prompt)}\n" in shown
    told = json.loads(zoomtui("status", folder.name, "--json", cwd=tmp_path).out)
    assert told["prompt"] == prompt


@pytest.mark.slow
def test_a_project_may_have_any_name_that_a_folder_may(tmp_path: Path) -> None:
    answer = zoomtui("render", *QUICK, "--out", b"caf\xe9 \x1b[31m.zoom", cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert "\x1b" not in answer.out
    assert r"caf\udce9 \x1b[31m.zoom" in answer.out


# --- what it makes -------------------------------------------------------------------------------


@pytest.mark.slow
def test_another_seed_makes_another_film(rendered: tuple[Path, Answer], tmp_path: Path) -> None:
    zoomtui("render", "a reef", *QUICK, "--seed", "12", "--out", "b.zoom", cwd=tmp_path)
    assert digest(tmp_path / "b.zoom") != digest(rendered[0])


def test_every_option_reaches_the_project(tmp_path: Path) -> None:
    answer = zoomtui(
        "render", "a reef", "--out", "deep/reef.zoom", "--painter", "tests.painters:gradient",
        "--negative-prompt", "fish", "--steps", "7", "--guidance-scale", "3.5", "--strength", "0.9",
        "--scheduler", "ddim", "--seed", "5", "--method", "sequential", "--zoom-factor", "2",
        "--size", "160x90", "--keyframe-size", "192x112", "--fps", "24000/1001", "--keyframes", "2",
        "--seconds-per-keyframe", "0.2", "--codec", "av1", "--crf", "40", "--preset", "12",
        "--encoder-option", "svtav1-params=tune=0", "--headless", "--json", cwd=tmp_path,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    stored = settings_of(tmp_path / "deep" / "reef.zoom").plain()
    for name, value in {
        "prompt": "a reef",
        "negative_prompt": "fish",
        "painter": "tests.painters:gradient",
        "steps": 7,
        "guidance_scale": 3.5,
        "strength": 0.9,
        "scheduler": "ddim",
        "seed": 5,
        "method": "sequential",
        "zoom_factor": 2.0,
        "size": "160x90",
        "keyframe_size": "192x112",
        "fps": "24000/1001",
        "keyframes": 2,
        "frames_per_keyframe": 5,
        "codec": "av1",
        "crf": 40,
        "preset": "12",
        "encoder_options": {"svtav1-params": "tune=0"},
    }.items():
        assert stored[name] == value, name
    with av.open(tmp_path / "deep" / "reef.zoom" / "film.mp4") as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("libdav1d", 160, 90)


@pytest.mark.slow
def test_a_border_in_pixels_is_a_zoom_factor(tmp_path: Path) -> None:
    options = ("--keyframe-size", "192x128", "--size", "96x64", "--outpaint-size", "32")
    answer = zoomtui("render", *QUICK, *options, "--out", "reef.zoom", cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert settings_of(tmp_path / "reef.zoom").zoom_factor == (128 + 2 * 32) / 128


def test_a_picture_of_any_size_becomes_the_first_upright_and_cropped(tmp_path: Path) -> None:
    picture = Image.new("RGB", (100, 300), (200, 30, 30))
    picture.paste((30, 30, 200), (0, 150, 100, 300))
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright by a turn to the right: 300x100, blue at the left
    picture.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    answer = zoomtui("render", *QUICK, "--image", "turned.jpg", "--out", "a.zoom", cwd=tmp_path)
    assert answer.code == 0, answer.err
    with Image.open(tmp_path / "a.zoom" / "keyframes" / "000000.png") as first:
        assert first.size == (64, 64)
        left, right = first.getpixel((5, 32)), first.getpixel((58, 32))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[2] > 150 > left[0]
    assert right[0] > 150 > right[2]


@pytest.mark.slow
def test_the_texture_painter_grows_from_an_exemplar_that_the_project_keeps(tmp_path: Path) -> None:
    Image.effect_noise((128, 128), 60).convert("RGB").save(tmp_path / "sand.png")
    answer = zoomtui(
        "render", *QUICK, "--painter", "texture", "--exemplar", "sand.png", "--out", "sand.zoom",
        cwd=tmp_path,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    (tmp_path / "sand.png").unlink()
    more = zoomtui("resume", "sand.zoom", "--keyframes", "4", cwd=tmp_path)
    assert more.code == 0, more.err


def test_a_folder_is_named_after_the_prompt_and_never_taken_twice(tmp_path: Path) -> None:
    for _ in range(2):
        answer = zoomtui("render", "A Coral: reef!", *QUICK, "--dry-run", cwd=tmp_path)
        assert "a-coral-reef.zoom" in answer.lines[0]
        (tmp_path / "a-coral-reef.zoom").mkdir(exist_ok=True)
        answer = zoomtui("render", "A Coral: reef!", *QUICK, "--dry-run", cwd=tmp_path)
        assert "a-coral-reef-2.zoom" in answer.lines[0]
        (tmp_path / "a-coral-reef.zoom").rmdir()


@pytest.mark.slow
def test_an_empty_folder_can_be_made_a_project_from_inside(tmp_path: Path) -> None:
    here = tmp_path / "reef.zoom"
    here.mkdir()
    assert zoomtui("render", *QUICK, "--out", ".", cwd=here).code == 0
    assert (here / "film.mp4").exists()


# --- --dry-run -----------------------------------------------------------------------------------


def test_a_dry_run_says_the_figures_and_writes_nothing(tmp_path: Path) -> None:
    answer = zoomtui(
        "render", "a reef", "--painter", "texture", "--size", "640x360", "--keyframes", "11",
        "--dry-run", cwd=tmp_path,
    )  # fmt: skip
    assert answer.code == 0
    for part in (
        "640x360, canvas 960x552",
        "30 frames/s, h264",
        "11 keyframes, 601 frames, 20.0 s",
        "free",
        "note: the texture painter has no model; it ignores prompt",
    ):
        assert part in answer.out, part
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_in_json_is_one_object_and_notes_stay_out_of_it(tmp_path: Path) -> None:
    answer = zoomtui(
        "render", "a reef", "--painter", "diffusion", "--size", "1280x720", "--keyframes", "3",
        "--dry-run", "--json", cwd=tmp_path,
    )  # fmt: skip
    (line,) = answer.lines
    figures = json.loads(line)
    assert figures["frames"] == 121
    assert figures["settings"]["model"] == "sd2"
    assert answer.err.startswith("note: the film (1280x720) is 1.9 times larger")
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_refuses_what_a_render_would(tmp_path: Path) -> None:
    answer = zoomtui("render", *QUICK, "--image", "nowhere.png", "--dry-run", cwd=tmp_path)
    assert (answer.code, answer.out) == (2, "")
    answer = zoomtui("render", "--dry-run", cwd=tmp_path)
    assert (answer.code, answer.out) == (2, "")
    assert "nothing says what to paint" in answer.err


# --- being stopped -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)],
)
def test_a_signal_ends_it_playable_and_says_how_to_go_on(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    endless = painter("endless", 2)
    with Running("render", *endless, "--out", "reef.zoom", cwd=tmp_path) as running:
        running.until("segment 1")
        running.signal(number)
        assert running.end() == code
    assert "stopped after 2 keyframes, 4 frames" in running.said
    assert "go on      zoomtui resume reef.zoom" in running.said
    assert "mpv reef.zoom/live.m3u8" in running.said
    assert film_frames(tmp_path / "reef.zoom") == 4


@pytest.mark.slow
def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    deaf = painter("deaf", 2)
    with Running("render", *deaf, "--json", "--out", "reef.zoom", cwd=tmp_path) as running:
        running.until("SegmentWritten")
        running.until('"keyframe": 2, "step": 1')
        running.signal(signal.SIGINT)
        running.signal(signal.SIGTERM)
        assert running.end() in {130, 143}
    assert "Traceback" not in running.said
    assert film_frames(tmp_path / "reef.zoom") == 4


def test_a_plan_of_prompts_is_followed_and_steering_gives_way_to_it(tmp_path: Path) -> None:
    (tmp_path / "plan.txt").write_text("0: a castle\n2: a reef\n")
    answer = zoomtui("render", "--prompts", "plan.txt", *QUICK, "--out", "a.zoom", cwd=tmp_path)
    assert answer.code == 0, answer.err
    made = [read_provenance(keyframe_path(tmp_path / "a.zoom", k))["prompt"] for k in range(3)]
    assert made == ["a castle", "a castle", "a reef"]
    assert settings_of(tmp_path / "a.zoom").prompt_blend == 0
    both = zoomtui("render", "x", "--prompts", "plan.txt", "--out", "b.zoom", cwd=tmp_path)
    assert (both.code, both.err.count("\n")) == (2, 1)
    none = zoomtui("render", "--prompts", "no.txt", "--out", "b.zoom", cwd=tmp_path)
    assert none.err == "zoomtui: plan no.txt can't be read: No such file or directory\n"


@pytest.mark.slow
def test_a_plan_says_how_long_prompts_take_unless_an_option_does(tmp_path: Path) -> None:
    (tmp_path / "plan.txt").write_text("blend: 1\n0: a castle\n1: a reef\n")
    plan = ("render", "--prompts", "plan.txt", *QUICK, "--out")
    assert zoomtui(*plan, "a.zoom", cwd=tmp_path).code == 0
    made = [read_provenance(keyframe_path(tmp_path / "a.zoom", k)) for k in range(3)]
    assert [m["blend"] for m in made] == [1.0, 0.5, 1.0]
    assert [m["earlier_prompt"] for m in made] == ["", "a castle", ""]
    assert zoomtui(*plan, "b.zoom", "--prompt-blend", "5", cwd=tmp_path).code == 0
    assert settings_of(tmp_path / "b.zoom").prompt_blend == 5
