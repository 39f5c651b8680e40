"""`zoomtui export` and `zoomtui import` as they are typed: what they say, and how they end."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import shutil
import signal
from functools import partial
from pathlib import Path

import av
import click
import psutil
import pytest
from PIL import Image

from renderer.errors import SettingsError
from renderer.project.create import create_project
from renderer.project.project import Project
from renderer.project.records import keyframe_path
from tests.cli.engines import make_project
from tests.cli.processes import PATIENCE, ROOT, OnTerminal, Running, zoomtui, zoomtui_here
from tests.engine.runs import render, small
from tests.marks import first_of
from tests.planning.chains import chain
from tests.worlds import natural
from zoomtui.cli.main import cli
from zoomtui.cli.options import option_of


@pytest.fixture(scope="module")
def reef(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three keyframes, 25 frames of 320x180, and their film."""
    folder = tmp_path_factory.mktemp("reef") / "reef.zoom"
    chain(folder, natural(1200), keyframes=3)
    render(folder)
    return folder


ENDLESS = ("--seconds-per-keyframe", "3000", "--json")
"""An export of 180,000 frames: it is still at work whenever a test gets to it."""


def frames_in(path: Path) -> int:
    with av.open(str(path)) as film:
        return sum(1 for _ in film.decode(video=0))


def left_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_film_is_exported_and_said_where_it_is(reef: Path, tmp_path: Path) -> None:
    answer = zoomtui("export", str(reef), "film.mp4", cwd=tmp_path)
    assert answer.code == 0
    assert answer.err == ""
    assert "copied, not encoded again" in answer.lines[0]
    assert answer.lines[-1].startswith("exported   film.mp4   (25 frames, 0.8 s")
    assert frames_in(tmp_path / "film.mp4") == 25


def test_a_film_is_exported_where_standard_output_is_closed(reef: Path, tmp_path: Path) -> None:
    shut = partial(os.close, 1)
    answer = zoomtui("export", str(reef), "film.mp4", cwd=tmp_path, preexec_fn=shut)
    assert (answer.code, answer.err) == (0, "")
    assert frames_in(tmp_path / "film.mp4") == 25


@pytest.mark.slow
def test_every_option_arrives(reef: Path, tmp_path: Path) -> None:
    answer = zoomtui(
        *("export", str(reef), "film.mkv", "--direction", "out-in", "--fps", "24000/1001"),
        *("--duration", "1", "--easing", "ease-in-out", "--ease-seconds", "0.1"),
        *("--hold-start", "0.1", "--hold-end", "0.1", "--speed", "1-2=2", "--focus", "0.6,0.4"),
        *("--size", "160x90", "--codec", "hevc", "--crf", "30", "--preset", "ultrafast"),
        *("--encoder-option", "tune=grain", "--poster", "0.2", "--json"),
        cwd=tmp_path,
    )
    assert answer.code == 0
    said = [json.loads(line) for line in answer.lines]
    assert said[0]["event"] == "ExportStarted"
    assert said[-1]["event"] == "ExportFinished"
    assert said[-1]["frames"] == frames_in(tmp_path / "film.mkv") == 24
    assert said[-2] == {"event": "ExportProgress", "done": 24, "frames": 24}
    assert "softer" in answer.err


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["film.xyz"], 2, ".xyz is no kind"),
        (["film.mp4", "--focus", "middle"], 2, "--focus must be X,Y"),
        (["film.mp4", "--size", "big"], 2, "WIDTHxHEIGHT"),
        (["film.mp4", "--speed", "fast"], 2, "FIRST-LAST=FACTOR"),
        (["film.mp4", "--direction", "up"], 2, "direction"),
        (["film.mp4", "--bit-depth", "9"], 2, "unknown bit depth"),
        (["film.mp4", "--poster", "9"], 2, "poster 9 s is beyond the end of the film"),
        (["nowhere/film.mp4"], 6, "no folder"),
        (["film.gif", "--duration", "3600"], 2, "--force"),
        (["film.mp4", "--audio", "none.ogg"], 2, "none.ogg"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_left(
    reef: Path, tmp_path: Path, arguments: list[str], code: int, word: str
) -> None:
    answer = zoomtui_here("export", str(reef), *arguments, cwd=tmp_path)
    assert answer.code == code
    assert answer.out == ""
    assert answer.err.count("\n") == 1
    assert word in answer.err
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["film.xyz"], "out"),
        (["nowhere/film.mp4"], "out"),
        (["film.mp4", "--size", "641x360"], "size"),
        (["film.gif", "--fps", "60"], "fps"),
        (["film.mp4", "--crf", "99"], "crf"),
        (["film.mp4", "--poster", "999"], "poster"),
        (["film.webm", "--codec", "h264"], "codec"),
        (["film.mp4", "--audio", "none.ogg"], "audio"),
        (["film.mp4", "--speed", "2-9=2"], "speeds"),
        (["film.mp4", "--audio-fade-in", "9999999"], "audio_fade_in"),
        (["film.mp4", "--duration", "0"], "duration"),
    ],
)
def test_with_json_an_error_is_an_event_that_names_the_option_to_blame(
    reef: Path, tmp_path: Path, arguments: list[str], field: str
) -> None:
    answer = zoomtui_here("export", str(reef), *arguments, "--json", "--dry-run", cwd=tmp_path)
    (said,) = map(json.loads, answer.lines)
    assert (said["event"], said["field"]) == ("ExportFailed", field)
    named = SettingsError(said["message"], field).naming(option_of(field))
    assert answer.err == f"zoomtui: {named}\n"


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ([1], "the picture of keyframe 2 is not"),
        ([1, 2], "the pictures of keyframes 2 to 3 are not"),
    ],
)
def test_pictures_that_are_missing_are_named(
    reef: Path, tmp_path: Path, lost: list[int], said: str
) -> None:
    folder = shutil.copytree(reef, tmp_path / "reef.zoom")
    for keyframe in lost:
        keyframe_path(folder, keyframe).unlink()
    answer = zoomtui_here("export", "reef.zoom", "a.mp4", "--size", "160x90", cwd=tmp_path)
    assert (answer.code, answer.out) == (3, "")
    assert f"{said} there, so the film can't be made again" in answer.err


def test_no_project_and_no_keyframes_are_told_apart(tmp_path: Path) -> None:
    assert zoomtui_here("export", "nowhere", "film.mp4", cwd=tmp_path).code == 3
    create_project(tmp_path / "p.zoom", small())
    answer = zoomtui_here("export", "p.zoom", "film.mp4", cwd=tmp_path)
    assert answer.code == 3
    assert "no two keyframes yet" in answer.err


@pytest.mark.parametrize("number", first_of([signal.SIGINT, signal.SIGTERM]))
def test_a_signal_leaves_nothing_and_nobody(
    reef: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with Running("export", str(reef), "film.mp4", *ENDLESS, cwd=tmp_path) as running:
        running.until("ExportProgress")
        helpers = psutil.Process(running._process.pid).children(recursive=True)
        assert left_in(tmp_path) == [".film.mp4.exporting", "film.mp4.frames.part"]
        running.signal(number)
        assert running.end() == 128 + number
    psutil.wait_procs(helpers, timeout=PATIENCE)
    assert not [helper for helper in helpers if helper.is_running()]
    assert left_in(tmp_path) == []


@pytest.mark.slow
def test_a_killed_export_takes_its_helpers_along(reef: Path, tmp_path: Path) -> None:
    with Running("export", str(reef), "film.mp4", *ENDLESS, cwd=tmp_path) as running:
        running.until("ExportProgress")
        helpers = psutil.Process(running._process.pid).children(recursive=True)
        running.signal(signal.SIGKILL)
        running.end()
    psutil.wait_procs(helpers, timeout=PATIENCE)
    assert not [helper for helper in helpers if helper.is_running()]
    # and the next one is not in the way of what it left
    assert zoomtui("export", str(reef), "film.mp4", cwd=tmp_path).code == 0
    assert left_in(tmp_path) == ["film.mp4"]


@pytest.mark.slow
@pytest.mark.parametrize("name", first_of(["film.mp4", "film.gif", "frames/"]))
def test_a_second_export_to_one_name_is_refused_and_the_first_is_not_harmed(
    reef: Path, tmp_path: Path, name: str
) -> None:
    with Running("export", str(reef), name, *ENDLESS, "--force", cwd=tmp_path) as first:
        first.until("ExportProgress")
        growing = left_in(tmp_path)
        for force in ((), ("--force",)):
            second = zoomtui("export", str(reef), name, *force, cwd=tmp_path)
            assert second.code == 2
            assert second.err.count("\n") == 1
            assert "is being made by another export" in second.err
            assert left_in(tmp_path) == growing
        first.signal(signal.SIGINT)
        assert first.end() == 128 + signal.SIGINT  # until then it went on
    assert zoomtui("export", str(reef), name, cwd=tmp_path).code == 0
    assert left_in(tmp_path) == [name.rstrip("/")]


@pytest.mark.slow
def test_of_exports_that_begin_at_once_one_is_made_and_the_others_say_why(
    reef: Path, tmp_path: Path
) -> None:
    speed = ("--seconds-per-keyframe", "1")
    with contextlib.ExitStack() as stack:
        together = [
            stack.enter_context(Running("export", str(reef), "film.mp4", *speed, cwd=tmp_path))
            for _ in range(3)
        ]
        codes = sorted(each.end() for each in together)
    assert codes == [0, 2, 2]
    assert left_in(tmp_path) == ["film.mp4"]
    assert frames_in(tmp_path / "film.mp4") == 61


@pytest.mark.parametrize("name", first_of(["film.mp4", "film.gif", "frames/"]))
def test_a_full_disk_is_one_line_and_nothing_is_left(reef: Path, tmp_path: Path, name: str) -> None:
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (20_000, 20_000))
    answer = zoomtui("export", str(reef), name, cwd=tmp_path, preexec_fn=limit)
    assert answer.code == 6
    assert "no space left" in answer.err
    assert answer.err.count("\n") == 1
    assert left_in(tmp_path) == []


def test_a_terminal_sees_a_bar(reef: Path, tmp_path: Path) -> None:
    line = ("export", str(reef), "film.mp4", "--direction", "in")
    with OnTerminal(*line, cwd=tmp_path, TERM="xterm") as running:
        assert running.end() == 0
        assert "━" in running.said
        assert "exported" in running.said


@pytest.mark.slow
def test_pictures_are_imported_and_exported(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number, name in enumerate("cab"):
        wide = natural(1200).view(1.5**number, (320, 192))
        Image.fromarray(wide).save(tmp_path / "in" / f"{name}.png")
    answer = zoomtui("import", "in", "--out", "p.zoom", "--size", "320x180", cwd=tmp_path)
    assert (answer.code, answer.err) == (0, "")
    assert answer.lines[0] == "3 pictures, each 1.5 times wider than the one before"
    assert answer.lines[1].startswith("c.png in a.png: zoom 1.50")
    assert "misfit" in answer.lines[2]
    with Project.open(tmp_path / "p.zoom") as project:
        assert len(project.keyframes) == 3
    assert zoomtui("export", "p.zoom", "film.mp4", cwd=tmp_path).code == 0
    assert frames_in(tmp_path / "film.mp4") == 121
    assert zoomtui("resume", "p.zoom", "--headless", cwd=tmp_path).code == 0
    assert frames_in(tmp_path / "p.zoom" / "film.mp4") == 121


def test_a_stranger_among_the_pictures_is_named_and_no_project_made(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(natural(1200).view(1, (320, 192))).save(tmp_path / "in" / "a.png")
    Image.fromarray(natural(1200, 7).view(2, (320, 192))).save(tmp_path / "in" / "b.png")
    answer = zoomtui("import", "in", "--out", "p.zoom", cwd=tmp_path)
    assert answer.code == 2
    assert "is not found in any other picture" in answer.err
    assert left_in(tmp_path) == ["in"]


def test_helps_have_examples() -> None:
    for verb in ("export", "import"):
        answer = zoomtui(verb, "--help", cwd=Path(os.sep))
        assert answer.code == 0
        assert f"zoomtui {verb} " in answer.out
        assert "Examples" in answer.out


def test_the_sizes_in_the_examples_fit_the_film_that_the_documents_make(tmp_path: Path) -> None:
    size = "512x512"  # as Stable Diffusion 2 paints
    folder = make_project(tmp_path / "coral.zoom", keyframes=2, size=size, keyframe_size=size)
    render(folder)
    export = cli.get_command(click.Context(cli), "export")
    assert export is not None
    shown = f"{export.epilog}\n{(ROOT / 'README.md').read_text()}"
    found = set(re.findall(r"zoomtui export coral.zoom (\S+) .*(--size \d+x\d+)", shown))
    assert len(found) == 3
    for out, said in found:
        line = ("export", "coral.zoom", out, *said.split(), "--dry-run")
        answer = zoomtui_here(*line, cwd=tmp_path)
        assert answer.code == 0, answer.err
