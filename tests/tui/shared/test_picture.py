"""The picture widget: under Pilot in each mode, and in fake terminals, near, far and slow."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tests.cli.engines import soon, until
from tests.terminal import ptys
from tests.terminal.ptys import FakeTerminal, python
from zoomtui.terminal.capabilities import Colours, Pictures, Terminal
from zoomtui.terminal.pictures import kitty
from zoomtui.terminal.pictures.budget import Budget
from zoomtui.terminal.pictures.layer import SIGN
from zoomtui.tui.shared import picture as widget
from zoomtui.tui.shared.picture import Picture

BLUE, RED = (20, 40, 200), (220, 30, 30)


def flat(colour: tuple[int, int, int], width: int = 64, height: int = 36) -> tuple[bytes, int, int]:
    return bytes(colour) * (width * height), width, height


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Let pytest run a coroutine."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class Show(App[None]):
    """One picture on the whole screen."""

    def __init__(self, pictures: Pictures, colours: Colours = "truecolor") -> None:
        super().__init__()
        self.terminal = Terminal("test", colours, pictures)
        self.shown = 0
        self.failures: list[str] = []

    def compose(self) -> ComposeResult:
        yield Picture(empty="nothing yet")

    def on_picture_shown(self) -> None:
        self.shown += 1

    def on_picture_failed(self, message: Picture.Failed) -> None:
        self.failures.append(message.reason)


async def until_shown(pilot: Pilot[None], app: Show, count: int) -> Picture:
    """The widget, once so many pictures, or sizes of them, have been shown."""
    await soon(lambda: app.shown + len(app.failures) >= count, f"{count} are shown")
    await pilot.pause()
    return app.query_one(Picture)


def text_of(picture: Picture) -> list[str]:
    return [picture.render_line(y).text for y in range(picture.size.height)]


def grounds(picture: Picture, y: int) -> set[tuple[int, ...]]:
    """The background colours of a line."""
    return {
        tuple(segment.style.bgcolor.triplet)
        for segment in picture.render_line(y)
        if segment.style and segment.style.bgcolor and segment.style.bgcolor.triplet
    }


@pytest.mark.parametrize(
    ("pictures", "colours"),
    [
        ("blocks", "truecolor"),
        ("blocks", "256"),
        ("ascii", "truecolor"),
        ("ascii", "none"),
        ("kitty", "truecolor"),
        ("sixel", "truecolor"),
        ("iterm2", "truecolor"),
    ],
)
@in_a_loop
async def test_each_mode_shows_it_whole_and_centred_and_again_at_another_size(
    pictures: Pictures, colours: Colours
) -> None:
    app = Show(pictures, colours)
    rgb = flat(BLUE, 64, 18)[0] + flat(RED, 64, 18)[0]
    async with app.run_test(size=(80, 24)) as pilot:
        app.query_one(Picture).show(rgb, 64, 36)
        picture = await until_shown(pilot, app, 1)
        for size in ((80, 24), (120, 36), (30, 40)):
            if size != (80, 24):
                before = app.shown
                await pilot.resize_terminal(*size)
                await until_shown(pilot, app, before + 1)
            assert picture.size == size
            rows = min(size[1], round(size[0] * 36 / 64 / 2))
            lines = text_of(picture)
            assert all(picture.render_line(y).cell_length == size[0] for y in range(size[1]))
            if pictures in {"kitty", "sixel", "iterm2"}:
                top, sign = (
                    (size[1] - rows) // 2,
                    kitty.PLACEHOLDER if pictures == "kitty" else SIGN,
                )
                marked = [y for y, line in enumerate(lines) if sign in line]
                assert marked == list(range(top, top + rows))
            elif pictures == "blocks":
                upper, lower = (
                    grounds(picture, size[1] // 2 - 2),
                    grounds(picture, size[1] // 2 + 2),
                )
                assert upper != lower
            else:
                assert "".join(lines).isascii()


@in_a_loop
async def test_truecolour_blocks_have_the_very_colours() -> None:
    app = Show("blocks")
    async with app.run_test(size=(64, 18)) as pilot:
        app.query_one(Picture).show(*flat(BLUE))
        picture = await until_shown(pilot, app, 1)
        assert all(grounds(picture, y) == {BLUE} for y in range(18))


@in_a_loop
async def test_without_a_picture_it_says_so_and_after_clear_again() -> None:
    app = Show("blocks")
    async with app.run_test(size=(64, 18)) as pilot:
        picture = app.query_one(Picture)
        assert "nothing yet" in "".join(text_of(picture))
        picture.show(*flat(BLUE))
        await until_shown(pilot, app, 1)
        assert "nothing yet" not in "".join(text_of(picture))
        picture.clear()
        await pilot.pause()
        assert "nothing yet" in "".join(text_of(picture))
        assert BLUE not in grounds(picture, 9)


@in_a_loop
async def test_the_newest_of_many_wins_and_few_are_made() -> None:
    app = Show("blocks")
    async with app.run_test(size=(64, 18)):
        picture = app.query_one(Picture)
        for level in range(200):
            picture.show(*flat((level, 0, 0)))
        await soon(lambda: grounds(picture, 9) == {(199, 0, 0)}, "the newest is shown")
        assert app.shown < 5


@in_a_loop
async def test_the_same_picture_again_is_no_work() -> None:
    app = Show("kitty")
    async with app.run_test(size=(64, 18)) as pilot:
        picture = app.query_one(Picture)
        for _ in range(5):
            picture.show(*flat(BLUE))
            await until_shown(pilot, app, 1)
        assert app.shown == 1


@in_a_loop
async def test_a_file_is_shown_and_a_broken_one_leaves_the_last(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.new("RGB", (640, 360), BLUE).save(good)
    bad.write_bytes(good.read_bytes()[:60])
    app = Show("blocks")
    async with app.run_test(size=(64, 18)) as pilot:
        picture = app.query_one(Picture)
        picture.show_file(good)
        await until_shown(pilot, app, 1)
        picture.show_file(bad)
        await until_shown(pilot, app, 2)
        picture.show_file(tmp_path / "missing.png")
        await until_shown(pilot, app, 3)
        assert [reason.split(":")[0] for reason in app.failures] == ["bad.png", "missing.png"]
        assert grounds(picture, 9) == {BLUE}
        picture.show_file(good)
        picture.set_pictures("ascii")
        await until_shown(pilot, app, 4)


@in_a_loop
async def test_the_kind_can_be_changed_while_it_runs() -> None:
    app = Show("kitty")
    async with app.run_test(size=(64, 18)) as pilot:
        picture = app.query_one(Picture)
        picture.show(*flat(BLUE))
        kinds: list[Pictures] = ["blocks", "ascii", "off", "kitty"]
        await until_shown(pilot, app, 1)
        for count, kind in enumerate(kinds, 2):
            picture.set_pictures(kind)
            await until_shown(pilot, app, count)
            assert picture.pictures == kind
            assert (kitty.PLACEHOLDER in "".join(text_of(picture))) is (kind == "kitty")
            assert (grounds(picture, 9) == {BLUE}) is (kind == "blocks")


def test_a_budget_may_be_overdrawn_and_is_then_waited_for() -> None:
    now = [0.0]
    budget = Budget(1000, lambda: now[0])
    assert budget.wait() == 0
    budget.spend(3000)
    assert budget.wait() == pytest.approx(2)
    now[0] = 1.5
    assert budget.wait() == pytest.approx(0.5)
    now[0] = 100
    assert budget.wait() == 0
    budget.spend(1000)
    assert budget.wait() == 0, "more than a second's worth was saved up"


# -------------------------------------------------------------------- in a terminal, for real


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture that doesn't compress."""
    path = tmp_path / "noise.png"
    Image.effect_noise((640, 360), 90).convert("RGB").save(path)
    return path


def start(tmp_path: Path, photo: Path, **how: Any) -> FakeTerminal:
    report = str(tmp_path / "report.json")
    command = python("-m", "tests.tui.picture_app", report, str(photo))
    terminal = FakeTerminal(command, **how)
    terminal.wait_for(b"ready")
    return terminal


def finish(terminal: FakeTerminal, tmp_path: Path) -> dict[str, Any]:
    terminal.send(b"q")
    assert terminal.wait() == 0
    terminal.close()
    return dict(json.loads((tmp_path / "report.json").read_text()))


def test_kitty_gets_each_picture_once_however_often_it_is_painted(
    tmp_path: Path, photo: Path
) -> None:
    with start(tmp_path, photo) as terminal:
        terminal.send(b"f")
        terminal.wait_for(b"shown 1")
        before = len(terminal.output)
        for _ in range(17):
            terminal.send(b"r")
        terminal.wait_for("\U0010eeee\u0305\u0305".encode(), start=before)
        assert not ptys.read_graphics(terminal.output[before:]).pictures
        for count in (2, 3, 4):
            terminal.send(b"n")
            terminal.wait_for(f"shown {count}".encode())
        said = finish(terminal, tmp_path)
        graphics = ptys.read_graphics(terminal.output)
    assert said["pictures"] == "kitty"
    assert said["heavy"] == []
    assert len(graphics.pictures) == 4
    images = [picture.image for picture in graphics.pictures]
    assert len(set(images)) == 4
    assert graphics.deleted == images, "the last but one is freed with each new one"
    assert not graphics.alive, "the terminal was left with a picture"
    first = graphics.pictures[0]
    assert f"38;2;{first.image >> 16};{first.image >> 8 & 255};{first.image & 255}".encode() in (
        terminal.output
    )


@pytest.mark.parametrize(
    ("replies", "graphic"),
    [(ptys.VSCODE, rb"\x1b\]1337;[^\x07]*\x07"), (ptys.FOOT, rb"\x1bP0;1;0q[^\x1b]*\x1b\\")],
    ids=["iterm2", "sixel"],
)
def test_what_lies_over_cells_is_drawn_where_they_were_painted_over_and_not_else(
    tmp_path: Path, photo: Path, replies: dict[bytes, bytes], graphic: bytes
) -> None:
    """Painted again, under a notification, under a dialog, in the shell, and back from each."""
    with start(tmp_path, photo, replies=replies, size=(80, 24)) as terminal:

        def drawn(key: bytes, shows: bytes) -> int:
            """How many times, until the app shows that the next key has come."""
            before = len(terminal.output)
            terminal.send(key)
            terminal.wait_for(shows, start=before)
            return len(re.findall(graphic, terminal.output[before:]))

        assert drawn(b"f", b"shown 1") <= 1
        terminal.wait_for(lambda seen: re.search(graphic, seen))
        assert drawn(b"r", b"keys f r.") == 0
        assert drawn(b"t", b"toast") == 0
        before = len(terminal.output)
        terminal.send(b"c")
        part = terminal.wait_for(lambda seen: re.search(graphic, seen), start=before)
        assert len(part) < len(terminal.output[:before]) / 3, "more than what was covered"
        for key, gone in ((b"m", b"dialog"), (b"z", b"in the shell")):
            assert drawn(key, gone) == 0
            before = len(terminal.output)
            if key == b"m":
                terminal.send(b"o")
            terminal.wait_for(lambda seen: re.search(graphic, seen), start=before)
        finish(terminal, tmp_path)
    assert "\U0010eeed".encode() not in terminal.output, "a terminal was sent cells"


@pytest.mark.slow
def test_it_is_sent_again_when_the_program_comes_back_from_the_shell(
    tmp_path: Path, photo: Path
) -> None:
    with start(tmp_path, photo) as terminal:
        terminal.send(b"f")
        terminal.wait_for(b"shown 1")
        before = len(terminal.output)
        terminal.send(b"z")
        away = terminal.wait_for(b"in the shell", start=before)
        freed = away.index(b"a=d,d=I")
        assert freed < away.index(b"\x1b[?1049l"), "freed on a screen where it never was"
        terminal.wait_for(lambda seen: len(ptys.read_graphics(seen).pictures) == 1, start=before)
        finish(terminal, tmp_path)
        assert not ptys.read_graphics(terminal.output).alive


@pytest.mark.slow
def test_a_picture_that_leaves_half_sent_is_taken_back(tmp_path: Path, photo: Path) -> None:
    """The link is slow; the app ends in the middle of a transmission."""
    with start(tmp_path, photo, rate=20_000, size=(80, 24)) as terminal:
        terminal.send(b"f")
        terminal.wait_for(b"_Ga=T")
        finish(terminal, tmp_path)
        graphics = ptys.read_graphics(terminal.output)
    assert len(graphics.pictures) == 1
    assert not graphics.alive


@in_a_loop
async def test_resizing_sends_once_for_where_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Show("kitty")
    async with app.run_test(size=(120, 30)) as pilot, asyncio.timeout(60):
        monkeypatch.setattr(widget, "monotonic", lambda: 0.0)  # no time passes while it is resized
        app.query_one(Picture).show(*flat(BLUE))
        await until_shown(pilot, app, 1)
        for columns in range(118, 90, -2):
            await pilot.resize_terminal(columns, 30)
        await soon(lambda: app.query_one(Picture).size.width == columns, "all of it has come")
        await pilot.pause()
        assert app.shown == 1
        monkeypatch.setattr(widget, "monotonic", time.monotonic)
        await until_shown(pilot, app, 2)
        await soon(lambda: not app.query_one(Picture)._working, "nothing is left to be done")
        assert app.shown == 2


def test_under_a_dialog_blocks_stand_in_for_placeholders(tmp_path: Path, photo: Path) -> None:
    """A translucent dialog tints what is under it, and a tinted id is another picture's."""
    with start(tmp_path, photo) as terminal:
        terminal.send(b"f")
        terminal.wait_for(b"shown 1")
        before = len(terminal.output)
        terminal.send(b"m")
        under = terminal.wait_for("▌".encode(), start=before)
        time.sleep(0.2)
        under = terminal.output[before:]
        assert "\U0010eeee".encode() not in under
        before = len(terminal.output)
        terminal.send(b"o")
        terminal.wait_for("\U0010eeee\u0305\u0305".encode(), start=before)
        finish(terminal, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "replies",
    [ptys.KITTY, ptys.VTE, ptys.VSCODE, ptys.FOOT],
    ids=["kitty", "blocks", "iterm2", "sixel"],
)
def test_a_line_of_20_kb_a_second_never_freezes_the_interface(
    tmp_path: Path, photo: Path, replies: dict[bytes, bytes]
) -> None:
    """Keys are heard even while the terminal reads nothing at all."""
    with start(tmp_path, photo, replies=replies, rate=20_000, size=(80, 24)) as terminal:
        terminal.hold()
        for _ in range(20):  # more than the line's buffers hold
            terminal.send(b"fn")
        terminal.send(b"w")
        report = tmp_path / "report.json"
        until(report.exists, "the last key is heard while nothing is read")
        terminal.go_on()
        terminal.wait_for(b"shown ")
        finish(terminal, tmp_path)
