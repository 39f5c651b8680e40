"""`zoomtui models`, `zoomtui doctor` and `zoomtui demo`."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from renderer.painting.painters.accelerator import accelerator
from renderer.planning.defaults import fill_in
from renderer.settings.presets import PRESETS
from tests.cli.processes import environment, zoomtui
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
