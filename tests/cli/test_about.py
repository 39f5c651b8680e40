"""`zoomtui models`, `zoomtui doctor` and `zoomtui demo`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from renderer.painting.painters.accelerator import accelerator
from renderer.planning.defaults import fill_in
from renderer.settings.presets import PRESETS
from tests.cli.processes import environment, zoomtui, zoomtui_here
from tests.painting.tiny import tiny_sd
from zoomtui.cli.main import cli
from zoomtui.cli.render import DEMO, DEMO_WITHOUT_WEIGHTS


def test_models_says_licence_size_resolution_and_memory_of_each(tmp_path: Path) -> None:
    answer = zoomtui("models", cwd=tmp_path)
    assert answer.code == 0
    for preset in PRESETS:
        for part in (preset.name, preset.repo, preset.licence, preset.weights, preset.vram):
            assert part in answer.out
        assert f"native {preset.native} px" in answer.out
    assert answer.out.count("(default)") == (accelerator() is not None)
    if accelerator() is None:
        assert answer.lines[0].startswith("No GPU here.")
        assert answer.lines[3] == "cosmos"
    assert answer.out.count("hf auth login") == sum(preset.gated for preset in PRESETS)
    experimental = [preset.name for preset in PRESETS if preset.experimental]
    assert answer.out.count("experimental:") == len(experimental)
    assert {"klein", "z-image-turbo", "sdxl-promax"} <= set(experimental)
    assert "Only cosmos has been run with its real weights" in answer.lines[-2]
    assert max(map(len, answer.lines)) <= 80


def test_doctor_tells_the_truth_in_one_line_each(tmp_path: Path) -> None:
    answer = zoomtui("doctor", cwd=tmp_path)
    assert (answer.code, answer.err) == (0, "")
    assert max(map(len, answer.lines)) <= 100
    found = {line.split()[1]: line for line in answer.lines}
    assert all(line.startswith(("ok  ", "--  ")) for line in answer.lines)
    assert version("torch") in found["torch"]  # as pip says it: builds for CUDA add a tag inside
    if not torch.cuda.is_available():
        assert "CPU" in found["device"]
    assert found["libx264"].startswith("ok")
    if not Path("/dev/nvidia0").exists():
        assert found["h264_nvenc"].startswith("--")
    assert "free" in found["disk"]
    assert "because" in found["default"]
    for name in ("zoomtui", "python", "system", "diffusers", "av"):
        assert found[name].startswith("ok")


@pytest.mark.parametrize(
    ("demo", "painter"), [(DEMO, "diffusion"), (DEMO_WITHOUT_WEIGHTS, "texture")]
)
def test_the_demo_is_about_ten_seconds_with_what_the_package_has(
    demo: dict[str, object], painter: str
) -> None:
    settings = fill_in(demo).settings
    assert settings.painter == painter
    assert settings.model == ("cosmos" if painter == "diffusion" else "")
    assert settings.keyframes is not None
    assert settings.film_frames is not None
    assert settings.keyframes >= 6
    assert 9 <= settings.film_frames / settings.fps <= 12


def rows_of(table: list[str]) -> list[list[str]]:
    """The cells of a table in Markdown, without its head."""
    assert table[1] == "|---|---:|---:|---:|---:|---:|"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


WARM = ["reading the model", "first picture", "first keyframe"]


def test_a_painter_is_warmed_up_and_said_to_take_so_long(tmp_path: Path) -> None:
    small = ("--size", "64x64", "--keyframe-size", "64x64")
    done = zoomtui("warm", "--painter", "texture", *small, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.lines[0].startswith("texture, canvas 96x96, speed quality; zoomtui ")
    rows = rows_of(done.lines[2:])
    assert [row[0] for row in rows] == WARM
    assert all(re.fullmatch(r"[\d.]+ [MG]iB", row[4]) for row in rows)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_a_compiled_loop_is_no_bug(tmp_path: Path, number: signal.Signals) -> None:
    done = zoomtui_here(
        "warm", str(int(number)), "--painter", "tests.painters:interrupted", cwd=tmp_path
    )
    assert (done.code, done.err) == (128 + number, "")


def test_a_model_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = zoomtui("warm", "./nowhere", cwd=tmp_path)
    assert done.code == 2
    assert done.err == "zoomtui: --model ./nowhere: there is no such folder\n"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning")
def test_the_bench_is_a_table_beside_diffusers_own_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    tiny_sd().save_pretrained(tmp_path)
    monkeypatch.setattr("renderer.planning.bench.ENOUGH", 0.0)
    small = {"model": str(tmp_path), "keyframe_size": "64x64", "steps": 4}
    monkeypatch.setattr("zoomtui.cli.warm.wishes", lambda given: {**given, **small})
    cli.main(["doctor", "--bench", str(tmp_path)], standalone_mode=False)
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith(f"{tmp_path}, canvas 96x96, speed quality; zoomtui ")
    rows = rows_of(lines[2:-2])
    assert [row[0] for row in rows] == [*WARM, "keyframe", "diffusers' own call"]
    for row in rows[1:]:
        seconds, a_step, rate = (float(cell) for cell in row[1:4])
        assert a_step == pytest.approx(seconds / 4, abs=0.01)
        assert rate > 0
    assert rows[3][5].endswith("%")
    assert lines[-1].endswith(" keyframes in the time of one of diffusers' own.")


def test_the_interface_loads_no_heavy_library(tmp_path: Path) -> None:
    code = (
        "import sys, zoomtui.cli.main, zoomtui.cli.headless, zoomtui.cli.render\n"
        "import renderer.planning.estimate\n"
        "heavy = {'torch', 'diffusers', 'transformers', 'av', 'numba', 'PIL', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
