"""What the documentation shows works, and what it points at is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from textual.binding import Binding

from renderer.planning.prompt_schedule import Schedule, read_schedule
from renderer.project.records import keyframe_path
from renderer.project.status import State, read_status
from renderer.settings.sources import SOURCES
from tests.cli.engines import engine, make_project
from tests.cli.processes import zoomtui
from zoomtui.tui.app import ZoomApp
from zoomtui.tui.monitor.directing import Directing
from zoomtui.tui.monitor.keyframe_screen import KeyframeScreen
from zoomtui.tui.monitor.screen import MonitorScreen

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: str, language: str = "") -> list[str]:
    """The code blocks of a page in a language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block for named, block in found if named == language]


def test_the_painter_in_the_documentation_paints_as_it_says(tmp_path: Path) -> None:
    (example,) = blocks("docs/painters.md", "python")
    (tmp_path / "rings.py").write_text(example, encoding="utf-8")
    command = next(block for block in blocks("docs/painters.md") if "rings:create" in block)
    words = command.replace('"', "").split()[1:]
    answer = zoomtui(*words, "--headless", "--seed", "7", cwd=tmp_path)
    assert answer.code == 0, answer.err
    status = read_status(tmp_path / "rings.zoom")
    assert (status.state, status.keyframes) == (State.FINISHED, 5)
    assert keyframe_path(tmp_path / "rings.zoom", 4).exists()


def test_the_client_in_the_documentation_is_obeyed(tmp_path: Path) -> None:
    (example,) = blocks("docs/protocol.md", "python")
    folder = make_project(tmp_path / "reef.zoom", "endless", since=2)
    with engine(folder):
        program = (
            f"{example}\nfor command in ('pause', 'unpause'): print(ask('reef.zoom', command))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.count("'ok': True") == 2


def test_the_plans_that_help_and_documents_show_can_be_read() -> None:
    starts = ((0, "a beach"), (12, "a coral reef"))
    for shown in (SOURCES["prompts"].help, (ROOT / "README.md").read_text(encoding="utf-8")):
        lines = "\n".join(re.findall(r"`((?:\d+|blend): [^`]+)`", shown))
        assert read_schedule(lines, "a.txt", seconds_per_keyframe=1) == Schedule(starts, blend=4)
    (plan,) = blocks("docs/models.md", "toml")
    assert read_schedule(plan, "a.toml", seconds_per_keyframe=1) == Schedule(starts, blend=4)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_sources_that_are_named_are_there(page: Path) -> None:
    for source in re.findall(r"`((?:renderer|zoomtui|tests)/[\w/.]+)`", page.read_text("utf-8")):
        found = [ROOT / source, (ROOT / source).with_suffix(".py")]
        assert any(path.exists() for path in found), f"{page.name}: {source}"


def test_the_tower_in_the_documentation_names_every_room() -> None:
    (tower,) = (block for block in blocks("docs/architecture.md") if "planning/" in block)
    for package in ("renderer", "zoomtui", "zoomtui/tui"):
        rooms = [
            path.name for path in (ROOT / package).iterdir() if (path / "__init__.py").exists()
        ]
        for room in rooms:
            assert f"{room}/" in tower, f"{package}/{room}"


def test_every_test_that_the_promises_name_is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/.]+)`", (ROOT / "docs" / "reliability.md").read_text()))
    assert len(named) > 10
    assert not [name for name in named if not (ROOT / name).exists()]


KEYS = {"Space": "space", "←": "left", "→": "right", "End": "end"}
"""Keys as the README writes them, where that is not Textual's name of them."""


def test_the_keys_of_the_readme_are_those_of_the_monitor_and_its_help() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    table = page.partition("| key | in the monitor | verb |")[2].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    written = {KEYS.get(key, key) for cell in cells for key in re.findall("`([^`]+)`", cell)}
    screens = (MonitorScreen, Directing, KeyframeScreen, ZoomApp)
    bindings = [
        binding for screen in screens for binding in screen.BINDINGS if isinstance(binding, Binding)
    ]
    assert written <= {key for binding in bindings for key in binding.key.split(",")}
    told = [each for each in bindings if written & set(each.key.split(","))]
    assert {each.description for each in told if not each.tooltip} <= {"detach"}  # q, at the end
    assert {each.tooltip for each in bindings if each.show} <= {each.tooltip for each in told}
