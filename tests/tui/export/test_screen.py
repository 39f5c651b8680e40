"""The export screen: typed into, checked, run for real, cancelled, left."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from textual.pilot import Pilot

from renderer.project.create import create_project
from tests.cli.engines import soon, until
from tests.cli.processes import ROOT, children_with, zoomtui
from tests.engine.runs import decoded, render, small
from tests.marks import first_of, slower
from tests.planning.chains import chain
from tests.tui.lists import SIZES, ListsApp, on_renders
from tests.tui.scripted import (
    RUNNING,
    TERMINAL,
    asks,
    check_snapshot,
    screen_text,
    scripted,
    settled,
)
from tests.worlds import natural
from zoomtui.terminal.capabilities import Terminal
from zoomtui.tui.export import child
from zoomtui.tui.export.form import FIELDS
from zoomtui.tui.export.screen import ExportScreen

SLOW = {"seconds_per_keyframe": "10000", "preset": "veryslow"}


@pytest.fixture(scope="module")
def reef(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three keyframes, 25 frames of 320x180, and their film."""
    folder = tmp_path_factory.mktemp("reef") / "reef.zoom"
    chain(folder, natural(1200), keyframes=3)
    render(folder)
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, where we are; no test works in it afterwards."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(folder)
    yield folder
    assert not exports(), "an export goes on"


def exports() -> list[psutil.Process]:
    """The export verbs that were started here; other tests may have left helpers of Python's."""
    return children_with("-m zoomtui")


def on_export(project: Path, terminal: Terminal = TERMINAL) -> ListsApp:
    return ListsApp(lambda: ExportScreen(project), terminal)


def screen(pilot: Pilot[str]) -> ExportScreen:
    found = pilot.app.screen_stack[0]
    assert isinstance(found, ExportScreen)
    return found


async def put(pilot: Pilot[str], **texts: str) -> None:
    """Texts into fields, as if typed."""
    screen(pilot).form.put(texts)
    await pilot.pause()


async def reckoned(pilot: Pilot[str]) -> None:
    """Until the engine has said what it would come to."""
    await soon(lambda: screen(pilot)._outcome, "it is reckoned")
    await pilot.pause()


async def ended(pilot: Pilot[str]) -> None:
    await soon(lambda: not screen(pilot).running, "it has ended")
    await pilot.pause()


def complaint(app: ListsApp) -> str:
    return " ".join(line.strip(" │") for line in screen_text(app).split("\n") if "✗" in line)


@pytest.mark.parametrize("size", [*SIZES[:2], *slower(SIZES[2:])])
def test_the_screen_is_as_it_was_looked_at(size: tuple[int, int], reef: Path, here: Path) -> None:
    (here / "reef.zoom").symlink_to(reef)

    async def run() -> str:
        app = ListsApp(lambda: ExportScreen(Path("reef.zoom"), Path()))
        async with app.run_test(size=size) as pilot:
            await put(pilot, direction="in-out", easing="ease-in-out")
            await reckoned(pilot)
            return await settled(pilot)

    check_snapshot(f"export-{size[0]}x{size[1]}", asyncio.run(run()))


@pytest.mark.parametrize("size", first_of([(20, 5), (300, 90)]))
def test_no_size_is_too_small_or_too_large(size: tuple[int, int], reef: Path) -> None:
    async def run() -> None:
        app = on_export(reef)
        async with app.run_test(size=size) as pilot:
            await pilot.press(*"x")
            assert screen(pilot).form.texts["out"] == "reef.mp4x"
            await pilot.resize_terminal(80, 24)
            assert "reef.mp4x" in await settled(pilot)

    asyncio.run(run())


@pytest.mark.slow
def test_the_keyboard_alone_reaches_every_field(reef: Path) -> None:
    async def run() -> None:
        app = on_export(reef)
        async with app.run_test(size=(80, 24)) as pilot:
            reached = []
            while app.focused is not None and app.focused.id not in reached:
                reached.append(app.focused.id)
                await pilot.press("tab")
            assert reached == [f"field-{key}" for key in FIELDS]
            await pilot.press("down")
            assert screen(pilot).form.texts["out"] == "reef.mkv"
            await pilot.press("tab", "down")
            assert screen(pilot).form.texts["direction"] == "out"

    asyncio.run(run())


def test_what_is_wrong_is_said_at_its_field_by_form_and_engine(reef: Path, here: Path) -> None:
    async def run() -> None:
        app = on_export(reef)
        async with app.run_test(size=(120, 36)) as pilot:
            await put(pilot, focus="left")
            assert "Focus must be X,Y" in complaint(app)
            await put(pilot, focus="", size="321x180")
            await soon(lambda: "odd side" in screen_text(app), "the engine says so")
            await put(pilot, size="")
            assert "✗" not in screen_text(app)
            (here / "reef.mp4").write_text("mine")
            await pilot.press("ctrl+s")
            await ended(pilot)
            assert "reef.mp4 exists" in complaint(app)
            assert app.focused is not None
            assert app.focused.id == "field-out"
        assert (here / "reef.mp4").read_text() == "mine"

    asyncio.run(run())


def test_what_no_field_is_to_blame_for_is_said_below(tmp_path: Path) -> None:
    create_project(tmp_path / "new.zoom", small())

    async def run() -> None:
        app = on_export(tmp_path / "new.zoom")
        async with app.run_test(size=(80, 24)) as pilot:
            await soon(lambda: screen(pilot).wrong, "the engine says so")
            await pilot.pause()
            assert "✗" in complaint(app)
            assert "no two keyframes yet" in " ".join(screen_text(app).split())

    asyncio.run(run())


def refusal(project: Path) -> str:
    """What the form says where it opens on that project and nothing is typed."""

    async def run() -> str:
        app = on_export(project)
        async with app.run_test(size=(80, 24)) as pilot:
            await soon(lambda: screen(pilot).wrong, "it is said")
            return str(screen(pilot).wrong[0])

    return asyncio.run(run())


@pytest.mark.parametrize("does", ["echo hello", "echo 5; exit 3", "exit 0", "echo '{}'"])
def test_a_verb_that_says_what_none_says_is_an_error_in_the_form(
    does: str, reef: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "python_module", lambda *_: ["/bin/sh", "-c", does])

    assert "no zoomtui" in refusal(reef)


def test_without_room_for_what_the_verb_says_the_form_says_so(
    reef: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc/nowhere")

    assert "can't be run: No such file" in refusal(reef)


def test_an_export_runs_and_says_where_it_is_and_how_to_fetch_it(
    reef: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        app, seen, export = on_export(reef), asyncio.Event(), child.export

        async def held(*asked: Any) -> child.Outcome:
            """It ends once it was seen to run."""
            made = await export(*asked)
            await seen.wait()
            return made

        monkeypatch.setattr(child, "export", held)
        async with app.run_test(size=(120, 36)) as pilot:
            await reckoned(pilot)
            assert "copied as it is" in screen_text(app)
            await put(pilot, direction="in", hold_end="0.1", seconds_per_keyframe="0.2")
            await pilot.press("ctrl+s")
            await soon(lambda: "The export belongs to this screen." in screen_text(app), "said")
            seen.set()
            await ended(pilot)
            text = screen_text(app)
            assert "16 frames, 0.5 s" in text
            assert "✔" in text
            await pilot.press("ctrl+y", "ctrl+o")
            fetch, command = app.copied
            assert shlex.split(fetch)[1].endswith(f":{here / 'reef.mp4'}")
            assert shlex.split(command)[2:] == screen(pilot).arguments
            await pilot.press("escape")  # nothing would be lost: nothing is asked
        assert app.return_code == 0

    asyncio.run(run())
    assert len(decoded(here / "reef.mp4")) == 16
    assert [path.name for path in here.iterdir()] == ["reef.mp4"]


@pytest.mark.slow
def test_pictures_are_fetched_as_a_folder(reef: Path, here: Path) -> None:
    async def run() -> None:
        app = on_export(reef)
        async with app.run_test(size=(80, 24)) as pilot:
            await put(pilot, out="stills/%03d.png", fps="5")
            (here / "stills").mkdir()
            await pilot.press("ctrl+s")
            await ended(pilot)
            await pilot.press("ctrl+y")
            assert app.copied[0].startswith("scp -r ")
            assert app.copied[0].endswith(f":{here / 'stills'} stills")

    asyncio.run(run())
    assert (here / "stills" / "003.png").exists()


@pytest.mark.slow
def test_cancel_is_asked_first_and_leaves_nothing(reef: Path, here: Path) -> None:
    async def run() -> None:
        app = on_export(reef)
        async with app.run_test(size=(80, 24)) as pilot:
            await put(pilot, **SLOW)
            await pilot.press("ctrl+s")
            await soon(lambda: screen(pilot)._pace.done, "frames are made")
            assert any(here.iterdir())
            await pilot.press("escape")
            await soon(lambda: asks(app, "Cancel the export?"), "the dialog opens")
            await pilot.press("enter")  # the default goes on
            await soon(lambda: isinstance(app.screen, ExportScreen), "it closes")
            assert screen(pilot).running
            await pilot.press("escape")
            await soon(lambda: asks(app, "Cancel the export?"), "the dialog opens")
            await pilot.press("down", "enter")
            await ended(pilot)
            assert list(here.iterdir()) == []
            assert "nothing of the export is left" in app.said
            assert screen(pilot).form.texts["preset"] == "veryslow"
            assert app.focused is not None

    asyncio.run(run())


@pytest.mark.slow
def test_leaving_the_whole_interface_cancels_it_without_a_trace(reef: Path, here: Path) -> None:
    async def run() -> None:
        app = on_export(reef)
        async with app.run_test(size=(80, 24)) as pilot:
            await put(pilot, **SLOW)
            await pilot.press("ctrl+s")
            await soon(lambda: screen(pilot)._pace.done, "frames are made")
            await pilot.press("ctrl+q")

    asyncio.run(run())
    until(lambda: not exports(), "the export has ended")
    assert list(here.iterdir()) == []


def test_leaving_asks_only_if_something_was_typed(reef: Path) -> None:
    async def run() -> None:
        app = on_export(reef)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("x", "escape")
            await soon(lambda: asks(app, "Discard this form?"), "the dialog opens")
            await pilot.press("enter")  # the default stays
            await soon(lambda: isinstance(app.screen, ExportScreen), "it closes")
            await pilot.press("backspace", "escape")
        assert app.return_code == 0

    asyncio.run(run())


@pytest.mark.slow
def test_hostile_names_are_shown_harmlessly_and_exported(
    reef: Path, tmp_path: Path, here: Path
) -> None:
    hostile = tmp_path / os.fsdecode(b"[red]\x1b[2J\xff\n.zoom")
    hostile.symlink_to(reef)

    async def run() -> None:
        app = on_export(hostile)
        async with app.run_test(size=(120, 36)) as pilot:
            await reckoned(pilot)
            text = screen_text(app)
            assert "[red]\\x1b[2J\\udcff\\n.zoom" in text
            assert not {"\x1b", "\udcff"} & set(text)
            await pilot.press("ctrl+y")
            assert "can't be copied" in app.said
            await put(pilot, out="[b]\x1b]0;x\x07.gif", fps="5")
            await pilot.press("ctrl+s")
            await ended(pilot)
            assert "✔" in screen_text(app)
            assert "\x1b" not in screen_text(app)

    asyncio.run(run())
    assert [path.name for path in here.iterdir()] == ["[b]\x1b]0;x\x07.gif"]


def test_without_colours_everything_is_plain_signs(reef: Path) -> None:
    async def run() -> None:
        app = on_export(reef, Terminal("test", "none", "ascii"))
        async with app.run_test(size=(80, 24)) as pilot:
            await put(pilot, direction="up")
            text = screen_text(app)
            assert "unknown direction" in text
            assert text.isascii(), {sign for sign in text if not sign.isascii()}

    asyncio.run(run())


def test_the_verb_run_dry_says_what_it_would_make_and_makes_nothing(reef: Path, here: Path) -> None:
    answer = zoomtui("export", str(reef), "a.gif", "--fps", "10", "--dry-run", cwd=here)
    assert (answer.code, answer.err) == (0, "")
    assert answer.lines == ["a.gif: 9 frames, 0.9 s, 320x180"]
    assert list(here.iterdir()) == []


@pytest.mark.slow
def test_e_opens_it_from_the_list_and_from_the_monitor(finished: Path, empty_state: Path) -> None:
    async def run() -> None:
        app = on_renders(finished.parent)
        async with app.run_test(size=(120, 36)) as pilot:
            await soon(lambda: "reef" in screen_text(app), "the list is read")
            await pilot.press("e")
            await soon(lambda: isinstance(app.screen, ExportScreen), "the form opens")
            assert "of reef.zoom" in screen_text(app)
            await pilot.press("escape")
            await soon(lambda: not isinstance(app.screen, ExportScreen), "it closes")
            assert app.screen is app.screen_stack[0]
        watching, _ = scripted(RUNNING)
        async with watching.run_test(size=(120, 36)) as pilot:
            await pilot.press("e")
            await soon(lambda: isinstance(watching.screen, ExportScreen), "the form opens")
            assert "of aurora.zoom" in screen_text(watching)

    asyncio.run(run())
