"""The page in a real browser: the film plays, grows, seeks, and outlives crashes and rewinds.

With the Chromium that the system has; without one these are skipped.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from renderer.project.status import State, read_status
from renderer.service.revise import revise
from tests.cli.engines import engine, make_project, running, until
from tests.web.serving import Served, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no chromium: apt-get install chromium"),
    pytest.mark.slow,
]
PATIENCE = 120_000.0
"""Milliseconds, only there to end what hangs."""
HOSTILE = "<img src=x onerror=alert(1)>"
FILM = {
    "keyframe_size": "192x112",
    "size": "192x112",
    "frames_per_keyframe": 30,
    "fps": "30",
    "prompt": HOSTILE,
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"] if os.getuid() == 0 else []
        )
        yield browser
        browser.close()


class Watched:
    """A page, and all that went wrong in it."""

    def __init__(self, page: Page, server: Served) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self.films: set[str] = set()
        """What was loaded: each film has an address of its own."""
        page.set_default_timeout(PATIENCE)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note_host)
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.goto(server.link)

    def _note(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning") and "Failed to load resource" not in said.text:
            self.complaints.append(said.text)

    def _note_host(self, request: Request) -> None:
        if not request.url.startswith("blob:"):
            self.hosts.add(request.url.split("/")[2])
        self.films.add(film_of(request))

    def until(self, true: str) -> None:
        self.page.wait_for_function(
            f"() => {{ const video = document.querySelector('video'); return {true}; }}"
        )

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)


@pytest.fixture
def watched(browser: Browser, request: pytest.FixtureRequest) -> Iterator[list[Watched]]:
    """Pages that the test opens; nothing may go wrong in any."""
    opened: list[Watched] = []
    yield opened
    for each in opened:
        each.page.context.close()
        assert not each.complaints
        assert len(each.hosts) == 1


def opened(
    browser: Browser, server: Served, watched: list[Watched], width: int = 1280, height: int = 800
) -> Watched:
    context = browser.new_context(viewport={"width": width, "height": height})
    watched.append(Watched(context.new_page(), server))
    return watched[-1]


def test_the_film_plays_and_goes_on_as_it_grows(
    browser: Browser, watched: list[Watched], tmp_path: Path
) -> None:
    gate = tmp_path / "gate.4"
    folder = make_project(tmp_path / "a.zoom", "gated", **{**FILM, "model": str(gate)}, keyframes=7)
    with engine(folder), serving(folder, cwd=tmp_path) as server:
        see = opened(browser, server, watched)
        assert see.page.url.endswith(f":{server.port}{see.page.evaluate('location.pathname')}")
        see.page.wait_for_function("() => document.querySelector('#count').textContent[0] === '4'")
        see.until("!document.querySelector('#start').disabled")
        see.page.click("#start")
        see.until("video.currentTime > 0.5 && video.videoWidth === 192")
        see.until("video.currentTime > 2.8 && video.duration < 3.1")  # all that there is
        gate.touch()
        see.until("video.currentTime > 4")
        see.page.click("#newest")
        see.until("video.currentTime > 5")
        see.page.wait_for_function("() => document.querySelector('#count').textContent[0] === '7'")
        assert see.text("#word") == "✔ FINISHED"
        assert see.text("#prompt") == HOSTILE
        assert see.page.locator("#prompt *").count() == 0


def test_it_seeks_and_obeys_keys(browser: Browser, watched: list[Watched], tmp_path: Path) -> None:
    folder = finished(tmp_path, keyframes=21)
    with serving(folder, cwd=tmp_path) as server:
        see = opened(browser, server, watched)
        see.until("!document.querySelector('#start').disabled")
        see.page.keyboard.press(" ")
        see.until("video.currentTime > 0.2")
        see.page.keyboard.press(" ")
        see.until("video.paused")
        see.page.keyboard.press("ArrowRight")
        see.until("video.currentTime > 5 && !video.seeking")
        see.page.keyboard.press(".")
        see.until("video.currentTime > 5 && video.currentTime % 1 === 0 && !video.seeking")
        see.page.keyboard.press("End")
        see.until("video.currentTime > 19 && video.duration > 20")
        see.page.keyboard.press("Home")
        see.until("video.currentTime < 3 && video.readyState > 2")
        see.page.keyboard.press("?")
        assert see.page.is_visible("#help")
        see.page.keyboard.press("Escape")
        see.page.keyboard.press("k")
        see.page.wait_for_function("() => document.querySelector('#viewer-picture').naturalWidth")
        assert see.text("#viewer-caption") == "21 of 21"
        see.page.keyboard.press("ArrowLeft")
        assert see.text("#viewer-caption") == "20 of 21"
        see.page.click("#viewer-film")
        see.until("video.currentTime >= 19")


def test_only_keyframes_in_sight_are_fetched(
    browser: Browser, watched: list[Watched], tmp_path: Path
) -> None:
    folder = finished(tmp_path, keyframes=60, frames_per_keyframe=2)
    with serving(folder, cwd=tmp_path) as server:
        see = opened(browser, server, watched, 400)
        see.page.wait_for_selector("#rail button[aria-label='keyframe 60']")
        assert see.page.locator("#rail button").count() < 12
        see.page.evaluate("document.querySelector('#strip').scrollLeft = 0")
        see.page.wait_for_function(
            "() => document.querySelector('[aria-label=\"keyframe 1\"] img')?.naturalWidth > 0"
        )
        assert see.page.locator("#rail button").count() < 12


def test_it_outlives_a_killed_engine_and_a_server_that_was_away(
    browser: Browser, watched: list[Watched], tmp_path: Path
) -> None:
    gate, token = tmp_path / "gate.3", tmp_path / "token"
    folder = make_project(tmp_path / "a.zoom", "gated", **{**FILM, "model": str(gate)}, keyframes=6)
    with engine(folder):
        with serving(folder, "--token-file", token, cwd=tmp_path) as server:
            see = opened(browser, server, watched)
            see.until("!document.querySelector('#start').disabled")
            see.page.click("#start")
            see.until("video.currentTime > 1.5")
            first = running(folder)
            os.kill(first, signal.SIGKILL)
            until(lambda: running(folder) not in (0, first), "another engine")
        see.page.wait_for_function(
            "() => document.querySelector('#notice').textContent.includes('reached')"
        )
        port = str(server.port)
        with serving(folder, "--token-file", token, "--port", port, cwd=tmp_path):
            gate.touch()
            see.until("video.currentTime > 4.5")
            see.page.wait_for_selector("#notice", state="hidden")


def test_it_goes_on_in_the_new_film_after_a_rewind(
    browser: Browser, watched: list[Watched], tmp_path: Path
) -> None:
    folder = finished(tmp_path, keyframes=7)
    with serving(folder, cwd=tmp_path) as server:
        see = opened(browser, server, watched)
        see.until("!document.querySelector('#newest').disabled")
        see.page.click("#newest")
        see.until("video.currentTime > 5")
        revised(folder, "rewind", keyframe=4)
        see.until("video.duration < 4 && video.currentTime < 4")
        see.page.wait_for_function("() => document.querySelector('#count').textContent[0] === '4'")
        with engine(folder):
            see.until("video.duration > 6")
            see.page.click("#newest")
            see.until("video.currentTime > 5")


def test_it_goes_on_while_an_engine_takes_back_and_paints_again(
    browser: Browser, watched: list[Watched], tmp_path: Path
) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 6, keyframes=12, **FILM)
    with engine(folder), serving(folder, cwd=tmp_path) as server:
        see = opened(browser, server, watched)
        see.page.wait_for_function("() => document.querySelector('#count').textContent[0] === '6'")
        see.page.click("#start")
        see.until("video.currentTime > 1")
        for _ in range(3):
            see.until("video.duration > 4.9")  # else nothing of this film is taken back
            known = frozenset(see.films)
            with see.page.expect_request(lambda each, old=known: film_of(each) not in old):
                revised(folder, "reroll", keyframe=3, changes={})
        see.page.click("#start")
        see.until("video.currentTime > 4.5")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_phone_scrolls_in_one_direction_only(
    browser: Browser, watched: list[Watched], tmp_path: Path, scheme: str
) -> None:
    long = "a_very_long_name_without_any_space_" * 6
    folder = finished(tmp_path, keyframes=4, prompt=long)
    with serving(cwd=tmp_path) as server:
        see = opened(browser, server, watched, 360, 740)
        see.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for _ in range(2):
            see.page.wait_for_function("() => document.querySelector('img')?.naturalWidth > 0")
            width = see.page.evaluate("document.documentElement.scrollWidth")
            assert width <= 360
            if see.page.locator("a.card").count():
                assert see.text("a.card .said").startswith("a_very")
                see.page.click("a.card")
                see.page.wait_for_selector("#strip")
        assert see.page.inner_text("#name") == folder.stem
        see.page.wait_for_function("() => document.querySelector('#charts img')?.naturalWidth > 0")


def test_it_says_so_where_the_browser_cant_play_the_codec(
    browser: Browser, watched: list[Watched], tmp_path: Path
) -> None:
    folder = finished(tmp_path, keyframes=3, codec="hevc", threads=1)
    with serving(folder, cwd=tmp_path) as server:
        see = opened(browser, server, watched)
        see.until("!document.querySelector('#start').disabled")
        see.page.click("#start")
        plays = see.page.evaluate(
            "MediaSource.isTypeSupported('video/mp4; codecs=\"hvc1.1.6.L60.90\"')"
        )
        if plays:
            see.until("video.currentTime > 0.2")
        else:
            see.page.wait_for_function("() => document.querySelector('#hint').textContent")
            assert "hevc" in see.text("#hint")


def test_the_list_shows_what_each_render_does(
    browser: Browser, watched: list[Watched], empty_state: Path, tmp_path: Path
) -> None:
    finished(tmp_path, keyframes=3)
    running_one = make_project(tmp_path / "b.zoom", "endless", 2, keyframes=4, prompt=HOSTILE)
    with engine(running_one), serving(cwd=tmp_path) as server:
        see = opened(browser, server, watched)
        see.page.wait_for_function(
            "() => document.querySelector('.card')?.innerText.includes('2/4 keyframes')"
        )
        first, second = see.page.locator(".card").all_inner_texts()
        assert "● running" in first
        assert HOSTILE in first
        assert "✔ finished" in second


def film_of(request: Request) -> str:
    """Which film it is for a part of; empty: it is for something else."""
    return request.url.partition("/film/")[2].partition("/")[0]


def revised(folder: Path, command: str, **details: object) -> None:
    """On a thread: Playwright has this one's event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(revise(folder, command, **details))).result()


def finished(where: Path, **more: object) -> Path:
    """A finished film of ``FILM``."""
    folder = make_project(where / "a.zoom", **{**FILM, **more})
    with engine(folder):
        until(lambda: read_status(folder).state is State.FINISHED, "finished")
    return folder
