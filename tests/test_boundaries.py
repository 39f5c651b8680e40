"""What may load what, seen in `sys.modules` of fresh processes, and in the sources."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zoomtui.cli.main import VERBS

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "diffusers", "transformers", "accelerate", "av", "numba"}
INTERFACE = {"zoomtui", "textual", "rich", "click"}


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh process holds after running ``code``."""
    probe = f"{code}\nimport json, sys\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in json.loads(run.stdout.splitlines()[-1])}


def imported_by(path: Path) -> Iterator[str]:
    """Every module that a source names in an import, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found
    return found


@pytest.mark.parametrize(
    "module",
    [
        "zoomtui.cli.main",
        "zoomtui.cli.headless",
        "renderer",
        "renderer.settings.render",
        "renderer.engine.events",
        "renderer.errors",
        "renderer.planning.defaults",
        "renderer.journal",
    ],
)
def test_importing_it_loads_nothing_heavy(module: str) -> None:
    assert not loaded_by(f"import {module}") & (HEAVY | {"textual"})


def test_settings_events_and_journal_load_no_array_library() -> None:
    light = ("settings.render", "engine.events", "engine.state", "errors", "journal")
    code = "\n".join(f"import renderer.{module}" for module in light)
    assert not loaded_by(code) & (HEAVY | {"numpy", "PIL"})


def test_the_monitor_is_there_before_arrays_and_pictures_are_loaded() -> None:
    code = "import zoomtui.tui.app, zoomtui.tui.monitor.screen, zoomtui.tui.renders.screen"
    assert not loaded_by(code) & (HEAVY | {"numpy", "PIL"})


def test_only_the_page_loads_a_web_server() -> None:
    code = "import zoomtui.cli.main, zoomtui.cli.serve, zoomtui.tui.app, zoomtui.tui.monitor.page"
    assert not loaded_by(code) & {"starlette", "uvicorn", "anyio"}


def test_help_needs_nothing_heavy() -> None:
    asked = [["--help"], *([verb, "--help"] for verb in VERBS)]
    code = f"""from zoomtui.cli.main import main
for arguments in {asked!r}:
    try: main(arguments)
    except SystemExit as ended: assert ended.code == 0
"""
    assert not loaded_by(code) & (HEAVY | {"textual", "numpy"})


def test_the_engine_loads_no_interface_and_no_model_library_before_it_paints() -> None:
    code = "import renderer.__main__, renderer.service.run_engine, renderer.project.status"
    assert not loaded_by(code) & (INTERFACE | {"torch", "diffusers", "transformers"})


def test_the_texture_painter_loads_no_model_library() -> None:
    code = "from renderer.painting.painters import find\nfind('texture')"
    assert not loaded_by(code) & {"torch", "diffusers", "transformers"}


def test_no_source_of_the_engine_names_the_interface() -> None:
    for path in sources("renderer"):
        named = {name.partition(".")[0] for name in imported_by(path)}
        assert not named & INTERFACE, path


def test_model_libraries_are_named_by_the_diffusion_painter_alone() -> None:
    allowed = ROOT / "renderer" / "painting" / "painters"
    for path in sources("renderer", "zoomtui"):
        named = {name.partition(".")[0] for name in imported_by(path)}
        assert not named & {"torch", "diffusers", "transformers"} or allowed in path.parents, path


@pytest.mark.parametrize(
    ("room", "other"),
    [
        ("renderer/painting", ("renderer.film", "renderer.engine")),
        ("renderer/film", ("renderer.painting", "renderer.engine")),
        ("tests/painting", ("renderer.film", "renderer.engine")),
        ("tests/film", ("renderer.painting.painters.diffusion", "renderer.engine")),
    ],
)
def test_rooms_know_only_their_own(room: str, other: tuple[str, ...]) -> None:
    for path in sources(room):
        for name in imported_by(path):
            assert not f"{name}.".startswith(tuple(f"{away}." for away in other)), path


def test_what_tests_share_lies_in_helpers_and_in_no_other_test() -> None:
    for path in sources("tests"):
        taken = [name for name in imported_by(path) if ".test_" in name and "tests." in name]
        assert not taken, path
