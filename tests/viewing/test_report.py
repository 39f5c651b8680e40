"""A render as one HTML file: whole, self-contained, and harmless whatever the project says."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from renderer.errors import ProjectError
from renderer.project.project import Project
from renderer.project.records import JOURNAL, keyframe_path
from tests.benchmarks.long_project import make
from tests.engine.runs import project, render, steer
from zoomtui.viewing.contact_sheet import MOST, chosen
from zoomtui.viewing.report import report_html

HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(2)> & \x1b[31m"
VOID = {"meta", "img", "path", "line", "circle", "polyline", "polygon"}


class Page(HTMLParser):
    """What a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


def jpegs(html: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html)
    return [Image.open(io.BytesIO(base64.b64decode(each))) for each in found]


@pytest.fixture(scope="module")
def reef(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 6 keyframes that says hostile things."""
    folder = project(tmp_path_factory.mktemp("reef") / "a <b>.zoom", keyframes=3, prompt=HOSTILE)
    render(folder)
    steer(folder, keyframes=6, prompt=f"another {HOSTILE}")
    render(folder)
    with Project.open(folder) as opened:
        opened.mark(1, "the best <b>")
    return folder


def test_it_holds_pictures_charts_prompts_sessions_and_settings(reef: Path) -> None:
    seen: list[tuple[int, int]] = []
    html = report_html(reef, lambda done, total: seen.append((done, total)))
    page = Page(html)
    assert seen == [(done, 6) for done in range(6)]
    assert [each.size for each in jpegs(html)] == [(64, 64), *[(96, 96)] * 5]
    assert page.tags.count("svg") == 5
    for said in (
        "a <b>.zoom", "finished", "from keyframe 4", "keyframe 2", "the best <b>", "session 1",
        "frames per keyframe", "Keyframe 6", "26/26 frames", "tests.painters:gradient",
    ):  # fmt: skip
        assert said in page.text, said
    assert "</title><script>alert(1)</script>" in page.text
    assert page.open == []


def test_nothing_in_it_runs_and_nothing_is_fetched(reef: Path) -> None:
    html = report_html(reef)
    page = Page(html)
    assert not {"script", "iframe", "object", "link", "form", "base"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    for name, value in page.attributes:
        if name in ("src", "href"):
            assert (value or "").startswith("data:image/jpeg;base64,")
    style = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert len(style) == 1
    assert f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'" in html
    assert "url(" not in html


def test_before_the_first_keyframe_it_says_what_there_is(tmp_path: Path) -> None:
    page = Page(report_html(project(tmp_path / "a.zoom", prompt="a reef")))
    assert "stopped" in page.text
    assert "a reef" in page.text
    assert not {"svg", "img"} & set(page.tags)


def test_missing_and_broken_pictures_are_left_out(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", keyframes=4)
    render(folder)
    keyframe_path(folder, 1).unlink()
    keyframe_path(folder, 2).rename(elsewhere := tmp_path / "secret.png")
    keyframe_path(folder, 2).symlink_to(elsewhere)
    keyframe_path(folder, 3).write_bytes(b"no picture")
    html = report_html(folder)
    assert len(jpegs(html)) == 1
    assert html.count("its file can't be read") == 2
    assert "Keyframe 2<" not in html


def test_of_a_long_film_it_stays_small(tmp_path: Path) -> None:
    folder = make(tmp_path / "a.zoom", 3000, steered=900, marks=10)
    html = report_html(folder)
    assert len(jpegs(html)) == MOST
    assert len(html) < 5_000_000
    assert "501 more before" in html


def test_a_damaged_journal_is_one_line(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    data = (folder / JOURNAL).read_bytes()
    (folder / JOURNAL).write_bytes(data.replace(b'"seed":', b'"s\0ed":', 1))
    with pytest.raises(ProjectError, match="is damaged"):
        report_html(folder)


def test_the_sheet_has_the_ends_the_wanted_and_others_evenly() -> None:
    assert chosen(range(5), {3}) == [0, 1, 2, 3, 4]
    found = chosen(range(1000), {17, 500, 5000})
    assert {0, 17, 500, 999} <= set(found)
    assert len(found) == MOST
    gaps = [after - before for before, after in pairwise(found)]
    assert max(gaps) < 2 * 1000 / (MOST - 3)
    assert len(chosen(range(100_000), range(0, 100_000, 3))) == MOST
    assert chosen([], {1}) == []
