"""A folder full of other people's modules: every verb works there, and nothing of it is run."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from renderer.settings.render import RenderSettings
from tests.cli.engines import running, until
from tests.cli.processes import PATIENCE, ROOT
from tests.worlds import natural
from zoomtui.tui.export import child
from zoomtui.tui.new_render.form import Draft
from zoomtui.tui.new_render.tryout import TryOut

PLANTED = (
    *("renderer/__init__.py", "zoomtui/__init__.py", "multiprocessing/__init__.py"),
    *("sitecustomize.py", "usercustomize.py", "torch.py", "numpy.py", "av.py", "re.py", "json.py"),
)
FILM = ("--painter", "texture", "--size", "64x64", "--frames-per-keyframe", "4")


@pytest.fixture
def hostile(tmp_path: Path, empty_state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory; its modules leave their names in ``run`` when they are imported."""
    here = tmp_path / "here"
    for name in PLANTED:
        module = here / name
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(f"open({str(tmp_path / 'run')!r}, 'a').write({name + ' '!r})\n")
    monkeypatch.chdir(here)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return here


def verb(*arguments: str, code: int = 0) -> str:
    """Run the installed `zoomtui` in the working directory; what it said."""
    program = Path(sys.executable).with_name("zoomtui")
    done = subprocess.run(
        [program, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == code, (arguments, done)
    return done.stdout + done.stderr


@pytest.mark.slow
def test_no_verb_runs_what_lies_in_the_working_directory(hostile: Path, tmp_path: Path) -> None:
    short = (*FILM, "--keyframes", "2", "--headless")
    verb("render", "a reef", *short, "--out", "reef.zoom")
    verb("resume", "reef.zoom", "--keyframes", "3", "--headless")
    verb("status", "reef.zoom")
    verb("logs", "reef.zoom")
    verb("ls")
    verb("attach", "reef.zoom", code=2)  # it needs a terminal
    verb("export", "reef.zoom", "copy.mp4")
    verb("export", "reef.zoom", "again.mp4", "--direction", "in", "--seconds-per-keyframe", "10")
    (hostile / "in").mkdir()
    for number, name in enumerate("ab"):
        view = natural(1200).view(2**number, (320, 192))
        Image.fromarray(view).save(hostile / "in" / f"{name}.png")
    verb("import", "in", "--out", "in.zoom")
    verb("models")
    verb("doctor")
    assert not (tmp_path / "run").exists(), (tmp_path / "run").read_text()


def test_neither_does_an_engine_of_its_own_nor_what_steers_it(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = ("--painter", "tests.painters:endless", "--model", "1", "--size", "64x64")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # where the painter is
    with subprocess.Popen(
        [Path(sys.executable).with_name("zoomtui"), "render", *endless, "--headless",
         "--out", "reef.zoom"],
        stdout=subprocess.DEVNULL,
    ) as rendering:  # fmt: skip
        try:
            until(lambda: running(hostile / "reef.zoom"), "it renders")
            for steering in (("pause",), ("unpause",), ("prompt",), ("stop", "--now")):
                text = ("at night",) if steering == ("prompt",) else ()
                verb(steering[0], "reef.zoom", *text, *steering[1:])
        finally:
            rendering.kill()
    assert not (tmp_path / "run").exists(), (tmp_path / "run").read_text()


@pytest.mark.slow
def test_neither_does_the_interface_when_it_tries_out_and_exports(
    hostile: Path, tmp_path: Path
) -> None:
    verb("render", *FILM, "--keyframes", "2", "--headless", "--out", "reef.zoom")

    async def use() -> None:
        settings = RenderSettings(painter="texture", keyframe_size=(64, 64), size=(64, 64))
        trial = TryOut(Draft(settings, ()).prepare)
        async for _ in trial.run():
            pass
        trial.discard()
        await child.forecast(["reef.zoom", "film.gif"])
        await child.export(["reef.zoom", "film.gif"], lambda done, frames: None)

    asyncio.run(use())
    assert (hostile / "film.gif").exists()
    assert not (tmp_path / "run").exists(), (tmp_path / "run").read_text()


@pytest.mark.slow
def test_a_painter_that_the_user_names_is_found_there_and_comes_after_all_others(
    tmp_path: Path, empty_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong numpy')\n")
    (tmp_path / "mine.py").write_text(
        "import numpy\n"
        "class Grey:\n"
        "    def paint(self, job, on_step):\n"
        "        on_step(1, 1)\n"
        "        return numpy.full_like(job.canvas, 128)\n"
        "def make(settings):\n"
        "    return Grey()\n"
    )
    size = ("--size", "64x64", "--frames-per-keyframe", "4", "--keyframes", "2")
    verb("render", "--painter", "mine:make", *size, "--headless", "--out", "a.zoom")


def test_python_is_started_in_one_place_only() -> None:
    code = [*(ROOT / "renderer").rglob("*.py"), *(ROOT / "zoomtui").rglob("*.py")]
    naming = {path.name for path in code if "sys.executable" in path.read_text(encoding="utf-8")}
    assert naming == {"children.py"}
