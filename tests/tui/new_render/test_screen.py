"""The New render screen: typed into, checked, copied, tried out, started."""

from __future__ import annotations

import asyncio
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from textual.pilot import Pilot

from renderer.project import registry
from renderer.project.records import JOURNAL, read_settings
from tests.cli.engines import kill_engine, running, soon
from tests.cli.processes import ROOT
from tests.cli.refusals import LONG
from tests.gates import StartGate
from tests.marks import first_of, slower
from tests.tui.lists import SIZES, ListsApp, new, on_new
from tests.tui.scripted import asks, check_snapshot, screen_text, settled
from zoomtui.tui.new_render.forecast import Surroundings
from zoomtui.tui.new_render.form import FIELDS, TITLES
from zoomtui.tui.new_render.screen import NewScreen
from zoomtui.tui.new_render.tryout_view import TryoutView

GRADIENT = {
    "painter": "tests.painters:gradient",
    "size": "64x64",
    "seconds_per_keyframe": "0.2",
    "preset": "ultrafast",
    "keyframes": "3",
    "seed": "11",
}
"""A film that takes no time."""


@pytest.fixture(autouse=True)
def _surroundings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty_state: Path
) -> Iterator[None]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    tries = tmp_path / "tries"
    tries.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tries))
    yield
    assert not list(tries.iterdir()), "a try-out has left something behind"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


async def put(pilot: Pilot[str], **texts: str) -> None:
    """Texts into fields, as if typed."""
    new(pilot).form.put(texts)
    await settled(pilot)


def complaint(app: ListsApp) -> str:
    """The one line that says what is wrong, as it is on the screen."""
    return " ".join(line.strip(" │") for line in screen_text(app).split("\n") if "✗" in line)


@pytest.mark.parametrize("size", [*SIZES[:2], *slower(SIZES[2:])])
@pytest.mark.parametrize("painter", first_of(["diffusion", "texture"]))
def test_the_screen_is_as_it_was_looked_at(
    size: tuple[int, int], painter: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoomtui.tui.new_render.forecast.look_around", Surroundings)
    monkeypatch.setattr("renderer.planning.estimate.free_bytes", lambda folder: 1300 << 30)

    async def run() -> str:
        app = on_new(here)
        async with app.run_test(size=size) as pilot:
            await put(pilot, prompt="gothic cathedral of ice,\naurora", painter=painter, seed="7")
            needs = "no GPU needed" if painter == "texture" else "of GPU memory"
            await soon(lambda: needs in screen_text(app), "the forecast")
            return await settled(pilot)

    check_snapshot(f"new-{painter}-{size[0]}x{size[1]}", asyncio.run(run()))


@pytest.mark.parametrize("size", first_of([(20, 5), (40, 10), (60, 15), (300, 90)]))
def test_no_size_is_too_small_or_too_large(size: tuple[int, int], here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=size) as pilot:
            await pilot.press(*"reef")
            assert new(pilot).texts["prompt"] == "reef"
            await pilot.resize_terminal(80, 24)
            assert "reef" in screen_text(app)

    asyncio.run(run())


def test_what_is_typed_is_checked_at_once_and_said_at_its_field(here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(80, 24)) as pilot:
            await put(pilot, painter="texture")
            assert complaint(app) == ""
            await put(pilot, zoom_factor="1")
            assert "Zoom factor must be above 1" in complaint(app)
            await put(pilot, zoom_factor="2")
            assert complaint(app) == ""

    asyncio.run(run())


@pytest.mark.parametrize(
    ("key", "text"),
    [("model", "~b"), ("upscaler", "~b"), ("out", "/"), ("out", f"{LONG}/reef.zoom")],
)
def test_no_name_ends_the_interface_while_it_is_typed(key: str, text: str, here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(120, 36)) as pilot:
            await put(pilot, prompt="moss", painter="texture", **{key: text})
            if key == "out":  # the forecast asks the disk
                await soon(lambda: "no GPU needed" in screen_text(app), "the forecast")
            assert new(pilot).form.texts[key] == text

    asyncio.run(run())


def test_everything_wrong_is_said_at_once_and_no_figures_beside_it(here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(120, 36)) as pilot:
            await put(pilot, painter="texture")
            await soon(lambda: "no GPU needed" in screen_text(app), "the forecast")
            await put(pilot, keyframes="1", zoom_factor="1", fps="fast")
            text = await settled(pilot)
            for words in (
                "Keyframes must be at least 2",
                "Zoom factor must be above 1",
                "Frames/s must be a number",
                "Fix the marked fields first.",
            ):
                assert words in text
            assert "no GPU needed" not in text
            await pilot.press("ctrl+s")
            assert app.focused is not None
            assert app.focused.id == "field-keyframes"
            await put(pilot, keyframes="", fps="", zoom_factor="2")
            await soon(lambda: "no GPU needed" in screen_text(app), "the forecast again")
            assert complaint(app) == ""

    asyncio.run(run())


def test_without_a_gpu_the_painter_is_asked_for_when_it_is_needed(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("renderer.planning.painter_choice.accelerator", lambda: None)

    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(120, 36)) as pilot:
            await put(pilot, prompt="a reef")
            assert complaint(app) == ""
            assert "no GPU here: which model or painter?" in await settled(pilot)
            await pilot.press("ctrl+s")
            assert "no GPU here: choose a model (cosmos" in complaint(app)
            assert app.focused is not None
            assert app.focused.id == "field-painter"
            await put(pilot, prompt="a crimson nebula")
            await soon(lambda: "no GPU needed: it paints" in screen_text(app), "cosmos")
            assert complaint(app) == ""

    asyncio.run(run())


def test_a_field_is_selected_when_it_is_entered_so_that_typing_replaces_it(here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(120, 36)) as pilot:
            await put(pilot, painter="texture", keyframes="12")
            new(pilot).form.choose("seed")
            await pilot.press("tab", *"30")
            assert new(pilot).texts["keyframes"] == "30"
            await pilot.press(*"5")
            assert new(pilot).texts["keyframes"] == "305"

    asyncio.run(run())


def test_offers_are_stepped_through_from_what_the_field_shows(here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(120, 36)) as pilot:
            await put(pilot, painter="texture")
            new(pilot).form.choose("zoom_factor")
            seen = []
            for _ in range(5):
                await pilot.press("down")
                seen.append(new(pilot).texts["zoom_factor"])
            assert seen == ["2", "3", "1.25", "", "2"]  # 1.5 is the default
            await pilot.press("up", *"1.7", "down")
            assert new(pilot).texts["zoom_factor"] == "2"

    asyncio.run(run())


@pytest.mark.parametrize("key", first_of(["enter", "space"]))
def test_offers_are_listed(key: str, here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(80, 24)) as pilot:
            await put(pilot, painter="texture")
            new(pilot).form.choose("zoom_factor")
            await pilot.press(key)
            text = await settled(pilot)
            assert "> 1.5 (default)" in text
            assert "  1.25 " in text
            await pilot.press("down", "enter")
            assert new(pilot).texts["zoom_factor"] == "2"
            await pilot.press(key, "down", "escape")
            assert new(pilot).texts["zoom_factor"] == "2"
            await pilot.press(key, "up", "enter")
            assert new(pilot).texts["zoom_factor"] == ""

    asyncio.run(run())


def test_a_space_that_is_typed_stays_a_space_and_enter_goes_on_where_nothing_is_offered(
    here: Path,
) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(120, 36)) as pilot:
            await put(pilot, painter="diffusion")
            new(pilot).form.choose("model")
            await pilot.press(*"my", "space", *"model")
            assert new(pilot).texts["model"] == "my model"
            new(pilot).form.choose("out")
            await pilot.press("enter")
            assert app.focused is not None
            assert app.focused.id != "field-out"

    asyncio.run(run())


def test_a_missing_prompt_is_said_once_somebody_wants_to_start(here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(80, 24)) as pilot:
            await put(pilot, painter="diffusion")
            assert complaint(app) == ""
            await pilot.press("ctrl+s")
            assert "needs a prompt" in complaint(app)
            assert app.focused is not None
            assert app.focused.id == "field-prompt"

    asyncio.run(run())


@pytest.mark.slow
def test_the_keyboard_alone_reaches_every_field(here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(80, 24)) as pilot:
            await put(pilot, painter="diffusion")
            shut = await reached(pilot)
            assert (
                shut
                == [f"field-{key}" for key, each in FIELDS.items() if not each.place[0]] + _HEADS
            )
            for head in _HEADS:
                app.screen.query_one(f"#{head}").focus()
                await pilot.press("enter")
            assert set(await reached(pilot)) == {f"field-{key}" for key in FIELDS} | set(_HEADS)

    asyncio.run(run())


_HEADS = [f"group-{group}" for group in TITLES if group]


async def reached(pilot: Pilot[str]) -> list[str]:
    """What Tab comes to from the prompt, in that order."""
    found: list[str] = []
    new(pilot).form.choose("prompt")
    await pilot.pause()
    while (focused := pilot.app.focused) is not None and focused.id not in found:
        found.append(focused.id or "")
        await pilot.press("tab")
    return found


@pytest.mark.slow
def test_a_group_unfolds_by_key_and_says_what_is_set_while_it_is_folded(here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(120, 36)) as pilot:
            await put(pilot, prompt="a reef", painter="diffusion", feather="64")
            assert "▸ Joining      Feather 64" in screen_text(app)
            app.screen.query_one("#group-joining").focus()
            await pilot.press("space")
            assert "▾ Joining" in screen_text(app)
            assert "Drift guard" in screen_text(app)
            await pilot.press("tab", *"16")
            assert new(pilot).texts["overmask"] == "16"
            assert "--overmask 16 --feather 64" in " ".join(new(pilot).command.split())
            await pilot.press("shift+tab", "left")
            assert "▸ Joining      Overmask 16  Feather 64" in screen_text(app)
            await pilot.click("#group-joining")
            assert "▾ Joining" in screen_text(app)
            await put(pilot, painter="texture")
            await soon(lambda: "Joining" not in screen_text(app), "only a model makes use of it")

    asyncio.run(run())


def test_what_is_wrong_is_never_folded_away(here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(120, 36)) as pilot:
            await put(pilot, painter="texture", candidates="0")
            assert "Candidates must be 1 to 64" in complaint(app)
            await pilot.press("ctrl+s")
            assert app.focused is not None
            assert app.focused.id == "field-candidates"

    asyncio.run(run())


@pytest.mark.slow
def test_a_plan_gives_the_folder_its_name_and_the_project_its_prompts(here: Path) -> None:
    plan = here.parent / "plan.txt"
    plan.write_text("0: a reef\n2: a wreck\n")
    folder = here / "a-reef.zoom"

    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(120, 36)) as pilot:
            await put(pilot, prompts=str(plan), direction="in", **GRADIENT)
            assert "a-reef.zoom" in screen_text(app)
            await pilot.press("ctrl+s")
            await soon(lambda: app.opened, "the monitor opens")

    asyncio.run(run())
    kill_engine(folder)
    assert read_settings(folder).direction == "in"
    assert '"from_keyframe":2' in (folder / JOURNAL).read_text().replace(": ", ":")


def test_up_and_down_step_through_what_is_worth_offering(here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(80, 24)) as pilot:
            new(pilot).form.choose("painter")
            await pilot.press("down")  # from the default, texture
            assert new(pilot).texts["painter"] == "diffusion"
            assert "Steps" in screen_text(app)
            await pilot.press("up")
            assert new(pilot).texts["painter"] == ""
            assert "Steps" not in screen_text(app)

    asyncio.run(run())


@pytest.mark.slow
def test_film_presets_go_round_and_the_command_follows(here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.press("ctrl+o")
            assert "film preset draft" in screen_text(app)
            assert "--size 640x360" in new(pilot).command
            await pilot.press("ctrl+o", "ctrl+o", "ctrl+o")
            assert "film preset standard" in screen_text(app)
            assert "--size" not in new(pilot).command

    asyncio.run(run())


@pytest.mark.slow
def test_any_text_is_shown_as_typed_and_copied_whole(here: Path) -> None:
    prompt = "[red]x[/red] [@click=app.quit]x[/] \x1b[2J مدينة e\u0301 " + "long " * 2000

    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(120, 36)) as pilot:
            await put(pilot, prompt=prompt, negative_prompt="[b]y\x1b[H", painter="diffusion")
            await pilot.press("ctrl+y")
            assert shlex.split(app.copied[0])[2] == prompt
            text = screen_text(app)
            assert "[red]x[/red] [@click=app.quit]x[/]" in text
            assert "\x1b" not in text

    asyncio.run(run())


def test_start_makes_what_the_command_line_says_and_leaves_the_engine_alone(here: Path) -> None:
    folder = here / "a-reef.zoom"

    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(80, 24)) as pilot:
            await put(pilot, prompt="a reef", **GRADIENT)
            draft = new(pilot)._draft
            assert draft is not None
            await pilot.press("ctrl+s")
            await soon(lambda: app.opened, "the monitor opens")
            assert app.opened == [folder]
            assert read_settings(folder) == draft.settings

    asyncio.run(run())
    kill_engine(folder)


@pytest.mark.slow
def test_what_cannot_start_says_so_at_its_field_and_leaves_nothing(here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(80, 24)) as pilot:
            await put(pilot, **GRADIENT, image=str(here / "no.png"))
            await pilot.press("ctrl+s")
            await soon(lambda: "✗" in screen_text(app), "it is said")
            assert app.focused is not None
            assert app.focused.id == "field-image"
            await put(pilot, image="", out=str(here))
            (here / "file").touch()
            await pilot.press("ctrl+s")
            await soon(lambda: "not a zoomtui project" in screen_text(app), "it is said")
        assert not app.opened
        assert [path.name for path in here.iterdir()] == ["file"]

    asyncio.run(run())


@pytest.mark.slow
def test_a_try_out_shows_its_picture_and_leaves_nothing_behind(here: Path) -> None:
    picture = here / "first.png"
    Image.new("RGB", (64, 64), "teal").save(picture)

    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(80, 24)) as pilot:
            await put(pilot, **GRADIENT, image=str(picture))
            await pilot.press("ctrl+g")
            await soon(lambda: "this is how it begins" in screen_text(app), "it is painted")
            await soon(lambda: "▀" in screen_text(app), "its picture is shown")
            await pilot.press("escape")
            assert not app.screen.query_one(TryoutView).shown
            assert isinstance(app.screen, NewScreen)
            await soon(lambda: "3 keyframes" in screen_text(app), "the forecast is back")
        assert registry.known() == []

    asyncio.run(run())
    assert list(here.iterdir()) == [picture]


@pytest.mark.slow
def test_a_try_out_that_fails_says_why(here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(80, 24)) as pilot:
            await put(pilot, **{**GRADIENT, "painter": "tests.painters:unloadable"})
            await pilot.press("ctrl+g")
            await soon(lambda: app.said or "✗" in screen_text(app), "it is said")
            assert not app.screen.query_one(TryoutView).shown

    asyncio.run(run())


@pytest.mark.slow
def test_a_try_out_can_be_cancelled_at_any_moment(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = StartGate(tmp_path / "gate")
    gate.shut()
    monkeypatch.setenv("PYTHONPATH", gate.path)

    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(80, 24)) as pilot:
            await put(pilot, **{**GRADIENT, "painter": "tests.painters:endless", "model": "0"})
            trial = app.screen.query_one(TryoutView)
            for moment in ("^g", "starting the engine", "painting keyframe"):
                if moment == "painting keyframe":
                    gate.open()
                await pilot.press("ctrl+g")
                await soon(lambda said=moment: said in screen_text(app), moment)
                await pilot.press("ctrl+g")
                await soon(lambda: not trial.running, "it has ended")
                assert "cancelled" in screen_text(app)

    asyncio.run(run())


def test_leaving_asks_only_if_something_was_typed(here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("x", "escape")
            await soon(lambda: asks(app, "Discard this form?"), "the dialog opens")
            await pilot.press("enter")  # the default stays
            await soon(lambda: isinstance(app.screen, NewScreen), "it closes")
            await pilot.press("backspace", "escape")
        assert app.return_code == 0

    asyncio.run(run())


def test_every_seed_is_another_and_the_one_shown_is_the_one_used(here: Path) -> None:
    async def run() -> None:
        app = on_new(here)
        async with app.run_test(size=(80, 24)) as pilot:
            await put(pilot, painter="texture")
            first = new(pilot).texts["seed"]
            await pilot.press("ctrl+r")
            await pilot.pause()
            second = new(pilot).texts["seed"]
            draft = new(pilot)._draft
            assert first != second
            assert draft is not None
            assert str(draft.settings.seed) == second

    asyncio.run(run())
    assert not running(here)
