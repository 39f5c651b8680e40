"""The Renders screen: what it shows, and what its keys do to real projects."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from renderer.project import registry
from renderer.project.status import State
from renderer.queue.jobs import Turn, own_queue
from tests.cli.engines import kill_engine, make_project, running, soon
from tests.cli.processes import ROOT
from tests.tui.lists import SIZES, Scanned, looked, on_renders, renders
from tests.tui.scans import CORAL, KOI, SCAN, render
from tests.tui.scripted import TERMINAL, asks, check_snapshot, screen_text, settled
from zoomtui.terminal.capabilities import Terminal
from zoomtui.tui.new_render.screen import NewScreen
from zoomtui.tui.renders.describe import EMPTY
from zoomtui.tui.renders.screen import RendersScreen
from zoomtui.tui.shared.row_list import Rows
from zoomtui.tui.shared.text_widgets import OneLine
from zoomtui.viewing.scan import Scan

NOWHERE = Path("/nowhere")


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, empty_state: Path) -> Iterator[None]:
    """An empty list of renders, and the times of day of the snapshots."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def look(
    scan: Scan, size: tuple[int, int], *keys: str, terminal: Terminal = TERMINAL
) -> tuple[str, str | None]:
    """What is on the screen after some keys, and which row is chosen."""

    async def run() -> tuple[str, str | None]:
        app = on_renders(NOWHERE, scan, terminal)
        async with app.run_test(size=size) as pilot:
            await looked(pilot)
            await pilot.press(*keys)
            await pilot.app.workers.wait_for_complete()
            text = await settled(pilot)
            chosen = pilot.app.screen_stack[0].query_one(Rows).chosen
            return text, chosen and Path(chosen).stem

    return asyncio.run(run())


@pytest.mark.parametrize("size", SIZES)
def test_the_screen_is_as_it_was_looked_at(size: tuple[int, int]) -> None:
    text, _ = look(SCAN, size, "down")
    check_snapshot(f"renders-{size[0]}x{size[1]}", text)


@pytest.mark.parametrize("size", SIZES)
def test_without_any_render_the_screen_says_how_to_begin(size: tuple[int, int]) -> None:
    text, _ = look(Scan(free=1300 << 30), size)
    assert EMPTY in text
    check_snapshot(f"renders-empty-{size[0]}x{size[1]}", text)


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (60, 15), (300, 90)])
def test_no_size_is_too_small_or_too_large(size: tuple[int, int]) -> None:
    text, _ = look(SCAN, size)
    assert "aurora" in text


def test_states_are_words_without_colour_and_signs_in_ascii() -> None:
    text, _ = look(SCAN, (80, 24), terminal=Terminal("test", "none", "ascii"))
    rows = text.split("\n")
    assert rows[2].startswith("* aurora-cathedral")
    assert "running" in rows[2]
    assert not set("●‖✔✗■") & set(text)


def test_what_looks_like_markup_is_shown_as_typed() -> None:
    hostile = render("[red]x[red]", prompt="[@click=app.quit]x[/] \x1b[2J مدينة e\u0301")
    text, _ = look(Scan((hostile,)), (120, 36))
    assert "[red]x[red]" in text
    assert "[@click=app.quit]x[/] \\x1b[2J" in text


def test_the_order_changes_with_o_and_the_chosen_render_stays_chosen() -> None:
    assert look(SCAN, (80, 24), "down")[1] == "coral-city"
    text, chosen = look(SCAN, (80, 24), "down", "o", "o", "o")
    assert "sort size" in text
    assert chosen == "coral-city"


@pytest.mark.slow
def test_a_filter_is_typed_kept_and_undone() -> None:
    text, chosen = look(SCAN, (80, 24), "slash", *"ink", "enter")
    assert "1 of 6 renders" in text
    assert chosen == "ink-dragons"
    assert "nothing fits" in look(SCAN, (80, 24), "slash", *"zzz", "enter")[0]
    text, _ = look(SCAN, (80, 24), "slash", *"ink", "enter", "escape")
    assert "6 renders" in text
    assert "neon-koi" in text


def test_letters_in_the_filter_are_letters() -> None:
    text, _ = look(SCAN, (80, 24), "slash", *"noxq?:")
    assert "filter noxq?:" in text


def test_enter_opens_running_and_resting_renders_alike() -> None:
    async def run() -> None:
        app = on_renders(NOWHERE, SCAN)
        async with app.run_test(size=(80, 24)) as pilot:
            await looked(pilot)
            await pilot.press("enter", "down", "down", "enter")
            assert [folder.stem for folder in app.opened] == ["aurora-cathedral", "ink-dragons"]
            await pilot.press("end", "enter")
            assert len(app.opened) == 2
            assert KOI.why in app.said

    asyncio.run(run())


def test_resume_starts_an_engine_that_belongs_to_nobody_and_opens_it(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "live.zoom", "endless", 2, keyframes=9)

    async def run() -> None:
        app = on_renders(tmp_path)
        async with app.run_test(size=(80, 24)) as pilot:
            await looked(pilot)
            await pilot.press("R")
            await soon(lambda: app.opened, "the monitor opens")
            assert app.opened == [folder]
        assert running(folder)

    try:
        asyncio.run(run())
        assert running(folder)
    finally:
        kill_engine(folder)


def test_forget_takes_the_entry_and_leaves_every_file(finished: Path, tmp_path: Path) -> None:
    registry.remember(finished)
    before = sorted(finished.rglob("*"))

    async def run() -> None:
        app = on_renders(tmp_path / "state")
        async with app.run_test(size=(80, 24)) as pilot:
            await looked(pilot)
            await pilot.press("x")
            await soon(lambda: asks(app, "Forget this render?"), "the dialog opens")
            assert "no file is deleted" in screen_text(app)
            await pilot.press("enter")  # the default keeps it
            assert registry.known() == [finished.resolve()]
            await soon(lambda: isinstance(app.screen, RendersScreen), "it closes")
            await pilot.press("x")
            await soon(lambda: asks(app, "Forget this render?"), "the dialog opens")
            await pilot.press("down", "enter")
            await soon(lambda: not registry.known(), "the entry is gone")
            await soon(lambda: not renders(pilot)._scan.renders, "the list is empty")

    asyncio.run(run())
    assert sorted(finished.rglob("*")) == before


def test_what_runs_and_what_is_not_listed_cannot_be_forgotten() -> None:
    assert "forget" not in look(SCAN, (120, 36))[0]
    assert "forget" in look(SCAN, (120, 36), "end")[0]


def test_y_copies_the_command_that_fetches_the_film() -> None:
    async def run() -> None:
        app = on_renders(NOWHERE, Scan((CORAL,)))
        async with app.run_test(size=(80, 24)) as pilot:
            await looked(pilot)
            await pilot.press("y")
            assert len(app.copied) == 1
            assert app.copied[0].endswith("/films/coral-city.zoom/film.mp4 coral-city.mp4")
            assert app.copied[0] in app.said

    asyncio.run(run())


def test_arrows_walk_through_the_keyframes(finished: Path) -> None:
    async def run() -> None:
        app = on_renders(finished.parent)
        async with app.run_test(size=(80, 24)) as pilot:
            await looked(pilot)
            assert "[3]" in screen_text(app)
            await pilot.press("left", "left")
            assert "[1]" in screen_text(app)
            await pilot.press("left", "right")
            assert "[2]" in screen_text(app)

    asyncio.run(run())


def test_n_opens_the_form_and_q_leaves() -> None:
    async def run() -> None:
        app = on_renders(NOWHERE, SCAN)
        async with app.run_test(size=(80, 24)) as pilot:
            await looked(pilot)
            await pilot.press("n")
            await soon(lambda: isinstance(app.screen, NewScreen), "the form opens")
            await pilot.press("escape")
            await soon(lambda: isinstance(app.screen, RendersScreen), "it closes")
            await pilot.press("q")
        assert app.return_code == 0

    asyncio.run(run())


def test_a_sleeping_disk_does_not_block_the_screen() -> None:
    class Asleep(Scanned):
        awake = threading.Event()
        begun = 0

        def read(self) -> Scan:
            self.begun += 1
            self.awake.wait(30)
            return super().read()

    async def run() -> None:
        app = on_renders(NOWHERE)
        reader = Asleep()
        app._begin = lambda: RendersScreen(NOWHERE, reader)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert "looking for renders" in screen_text(app)
            renders(pilot)._look()
            await pilot.press("n")
            await soon(lambda: isinstance(app.screen, NewScreen), "the form opens all the same")
            assert reader.begun == 1
            reader.awake.set()
            await pilot.press("escape")
            await soon(lambda: "aurora" in screen_text(app), "it wakes up")

    asyncio.run(run())


@pytest.mark.slow
def test_nothing_is_looked_at_while_another_screen_is_shown() -> None:
    async def run() -> None:
        app = on_renders(NOWHERE)
        reader = Scanned()
        app._begin = lambda: RendersScreen(NOWHERE, reader)
        async with app.run_test(size=(80, 24)) as pilot:
            await looked(pilot)
            screen = renders(pilot)
            await pilot.press("n")
            await soon(lambda: isinstance(app.screen, NewScreen), "the form opens")
            looks = reader.looks
            screen._look()
            await pilot.pause()
            assert reader.looks == looks

    asyncio.run(run())


def test_a_render_that_comes_and_one_that_goes_leave_the_choice_alone() -> None:
    async def run() -> None:
        app = on_renders(NOWHERE)
        reader = Scanned()
        app._begin = lambda: RendersScreen(NOWHERE, reader)
        async with app.run_test(size=(80, 24)) as pilot:
            await looked(pilot)
            await pilot.press("down", "down")
            rest = (render("brand-new", State.RUNNING, 1), *SCAN.renders[1:])
            reader.scan = Scan(rest)
            renders(pilot)._look()
            await soon(lambda: "brand-new" in screen_text(app), "it is shown")
            assert (renders(pilot).chosen or CORAL).name == "ink-dragons"

    asyncio.run(run())


def test_a_click_chooses_and_a_double_click_opens() -> None:
    async def run() -> None:
        app = on_renders(NOWHERE, SCAN)
        async with app.run_test(size=(120, 36)) as pilot:
            await looked(pilot)
            rows = app.screen.query_one(Rows)
            await pilot.click(rows, offset=(4, 2))
            assert rows.highlighted == 2
            assert app.opened == []
            await pilot.click(rows, offset=(4, 1), times=2)
            assert rows.highlighted == 1
            await soon(lambda: app.opened == [Path(rows.chosen or "")], "it is open")

    asyncio.run(run())


def test_a_click_on_a_heading_sorts() -> None:
    async def run() -> None:
        app = on_renders(NOWHERE, SCAN)
        async with app.run_test(size=(120, 36)) as pilot:
            await looked(pilot)
            heading = app.screen.query_one("#renders-heading", OneLine)
            titles = str(heading.render())
            for title, order in (
                ("size", "size"),
                ("state", "state"),
                ("name", "name"),
                ("changed", "newest"),
            ):
                await pilot.click(heading, offset=(titles.index(title) + 2, 0))
                assert f"sort {order}" in await settled(pilot)

    asyncio.run(run())


def test_one_waits_in_the_queue_and_not_any_more(tmp_path: Path) -> None:
    folder, other = (make_project(tmp_path / f"{name}.zoom") for name in ("reef", "koi"))
    registry.remember(folder)
    own_queue().add([other])

    async def run() -> None:
        app = on_renders(tmp_path / "state")
        async with app.run_test(size=(120, 36)) as pilot:
            await looked(pilot)
            assert "stopped" in screen_text(app)
            await pilot.press("a")
            await soon(lambda: "queued 2" in screen_text(app), "the row says so")
            assert [job.folder for job in own_queue().jobs()] == [other, folder]
            assert "waiting, number 2; `zoomtui" in screen_text(app)
            await pilot.press("a")
            await soon(lambda: "queued" not in screen_text(app), "it does not wait")
            assert [job.folder for job in own_queue().jobs()] == [other]

    asyncio.run(run())


def test_what_is_set_aside_says_why(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom")
    registry.remember(folder)
    own_queue().add([folder])
    own_queue().update(own_queue().find(folder), turn=Turn.FAILED, why="[red]no[/red]")

    async def run() -> str:
        app = on_renders(tmp_path / "state")
        async with app.run_test(size=(120, 36)) as pilot:
            await looked(pilot)
            return screen_text(app)

    text = asyncio.run(run())
    assert "failed: [red]no[/red]" in text
    assert "queued" not in text


def test_those_that_wait_are_moved_and_held(tmp_path: Path) -> None:
    reef, koi = (make_project(tmp_path / f"{name}.zoom") for name in ("reef", "koi"))
    for folder in (koi, reef):
        registry.remember(folder)
    own_queue().add([koi, reef])

    def waiting() -> list[str]:
        return [job.folder.stem for job in own_queue().jobs() if job.turn is Turn.WAITING]

    async def run() -> None:
        app = on_renders(tmp_path / "state")
        async with app.run_test(size=(120, 36)) as pilot:
            await looked(pilot)
            await pilot.press("o")  # by name: the second is the reef
            await pilot.press("down")
            assert "number 2" in await settled(pilot)
            await pilot.press("K")
            await soon(lambda: waiting() == ["reef", "koi"], "it is earlier")
            await soon(lambda: "number 1" in screen_text(app), "the row says so")
            await pilot.press("K")  # nothing is before it
            await pilot.press("J")
            await soon(lambda: waiting() == ["koi", "reef"], "it is later again")
            await soon(lambda: "number 2" in screen_text(app), "the row says so")
            await pilot.press("h")
            await soon(lambda: waiting() == ["koi"], "it is held")
            await soon(lambda: "held" in screen_text(app), "the detail says so")
            await pilot.press("h")
            await soon(lambda: waiting() == ["koi", "reef"], "it waits again")

    asyncio.run(run())
