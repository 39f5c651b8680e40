"""Lines of the monitor: words first, nothing invented, nothing wider than it may be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from rich.cells import cell_len

from renderer.engine.events import Phase
from renderer.engine.state import LogLine
from renderer.formatting import clock_text
from renderer.painting.figures import grade
from tests.tui.scripted import HOSTILE, NOW, RUNNING, VIEWS, figures, view
from zoomtui.tui.monitor import caption, panels
from zoomtui.tui.monitor.headline import farewell, header_line, notice_line, title
from zoomtui.tui.shared.styled_text import Line, bar, cut, joined, quoted, spark
from zoomtui.tui.shared.text_widgets import key_line
from zoomtui.viewing.view import Situation, View
from zoomtui.viewing.words import ends_texts, view_word


def text(line: Line) -> str:
    return "".join(part for part, _ in line)


def texts(lines: list[Line]) -> str:
    return "\n".join(text(line) for line in lines)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("running", "● RENDERING"),
        ("paused", "‖ PAUSED"),
        ("finished", "✔ FINISHED"),
        ("stopped", "■ STOPPED"),
        ("failed", "✗ FAILED"),
        ("lost", "✗ ENGINE LOST"),
        ("looking", "○ LOOKING FOR THE ENGINE"),
    ],
)
def test_every_state_has_a_symbol_and_a_word(name: str, word: str) -> None:
    assert view_word(VIEWS[name])[0] == word
    assert word in text(header_line(VIEWS[name], NOW, 120))


def test_the_header_gives_up_what_matters_less_as_it_gets_narrow() -> None:
    wide, narrow = (text(header_line(RUNNING, NOW, width)) for width in (120, 50))
    assert "128 of ∞ keyframes" in wide
    assert "0.33× real time" in wide
    assert "2 viewers" in wide
    assert "RENDERING 3:12:44" in narrow
    assert "viewers" not in narrow


@pytest.mark.parametrize("width", [1, 7, 20, 35, 50, 80, 120])
@pytest.mark.parametrize("name", VIEWS)
def test_no_line_that_may_be_long_is_wider_than_its_place(name: str, width: int) -> None:
    shown = VIEWS[name]
    lines = [
        header_line(shown, NOW, width),
        *panels.prompt_lines(shown, width),
        *panels.log_lines(shown.state.log, 4, width),
    ]
    for line in lines:
        assert cell_len(text(line)) <= width


@pytest.mark.parametrize("width", [35, 40, 54])
@pytest.mark.parametrize("name", VIEWS)
def test_panels_fit_the_columns_that_layouts_give_them(name: str, width: int) -> None:
    shown = VIEWS[name]
    lines = [
        *panels.progress_lines(shown, width),
        *panels.gpu_lines(shown, width),
        *panels.host_lines(shown, width),
        *panels.pipeline_lines(shown, width),
        *panels.project_lines(shown, width),
    ]
    assert [text(line) for line in lines if cell_len(text(line)) > width] == []


def test_progress_tells_step_film_speed_file_and_end() -> None:
    shown = texts(panels.progress_lines(RUNNING, 60))
    assert "17/24" in shown
    assert "0:21:20" in shown
    assert "38,400 frames" in shown
    assert "10.0 fps · 0.33× · 8.7 kf/min" in shown
    assert "5.7 GiB" in shown
    assert "when stopped · disk 6 days" in shown


def test_the_disk_lasts_for_the_film_and_its_keyframes() -> None:
    without = replace(RUNNING, keyframe_size=0)
    assert ends_texts(without) == ["when stopped", "disk 10 days"]
    assert ends_texts(RUNNING) == ["when stopped", "disk 6 days"]


def test_a_render_with_an_end_tells_when() -> None:
    assert ends_texts(view(total_keyframes=641)) == ["in 1.0 s"]
    assert ends_texts(view(total_keyframes=651)) == ["in 1 min 00 s"]
    assert ends_texts(view(total_keyframes=700, progress=())) == ["after 700 keyframes"]


def test_nothing_is_promised_where_nothing_is_rendered() -> None:
    assert ends_texts(VIEWS["lost"]) == ["nothing is being rendered"]
    assert "━" not in text(panels.progress_lines(VIEWS["stopped"], 40)[0])


def test_what_cannot_be_told_is_shown_as_such() -> None:
    shown = VIEWS["unmetered"]
    for line in panels.gpu_lines(shown, 40):
        assert "n/a" in text(line)
    for line in panels.host_lines(shown, 40):
        assert "n/a" in text(line)
    assert panels.gpu_name(shown) == "GPU"
    meters = {**(RUNNING.state.meters or {}), "gpu_percent": None}
    partly = view(meters=meters)
    assert "n/a" in text(panels.gpu_lines(partly, 40)[0])
    assert "61.2/80 GiB" in text(panels.gpu_lines(partly, 40)[2])


def test_the_slow_side_is_named() -> None:
    painting, _, encoding = panels.pipeline_lines(RUNNING, 40)
    assert "bottleneck" in text(painting)
    assert "bottleneck" not in text(encoding)
    painting, waiting, encoding = panels.pipeline_lines(view(queued=2), 40)
    assert "bottleneck" not in text(painting)
    assert "2/2" in text(waiting)
    assert "bottleneck" in text(encoding)


def test_how_long_the_painter_waits_is_said_where_there_is_room() -> None:
    painting, _, encoding = panels.pipeline_lines(RUNNING, 40)
    assert text(painting) == "painting  6.9 s/kf  idle 2 %  bottleneck"
    assert "idle" not in text(encoding)
    assert text(panels.pipeline_lines(RUNNING, 35)[0]) == "painting  6.9 s/kf  bottleneck"
    waiting = view(queued=2, figures=figures(61.2, 61.4, idle=0.45))
    assert text(panels.pipeline_lines(waiting, 35)[0]) == "painting  61 s/kf  idle 45 %"
    assert "idle" not in text(panels.pipeline_lines(view(figures=()), 40)[0])


def test_a_queued_prompt_says_from_which_keyframe_it_counts() -> None:
    _, following = panels.prompt_lines(VIEWS["steered"], 80)
    assert text(following) == "next  from keyframe 130:  coral reef library, soft fog"


@pytest.mark.parametrize("prompt", HOSTILE)
def test_a_prompt_is_shown_as_typed_and_harmless(prompt: str) -> None:
    line = text(panels.prompt_lines(view(prompt=prompt), 80)[0])
    assert cell_len(line) <= 80
    assert not any(ord(c) < 32 or c in "\u202e\x7f\x9b" for c in line)
    if prompt.isprintable() and len(prompt) < 60:
        assert prompt in line


def test_the_first_keyframe_that_a_prompt_can_count_for() -> None:
    assert panels.next_to_begin(RUNNING.state) == 129
    assert panels.next_to_begin(replace(RUNNING.state, painting=None, queued=1)) == 129
    assert panels.next_to_begin(VIEWS["steered"].state) == 129


def test_the_log_shows_its_newest_lines() -> None:
    log = [LogLine(NOW, f"line {n}") for n in range(30)]
    shown = [text(line) for line in panels.log_lines(log, 3, 40)]
    assert [line.split("  ")[1] for line in shown] == ["line 27", "line 28", "line 29"]
    assert panels.log_lines(log, 0, 40) == []


def test_the_strip_shows_the_neighbours_and_the_way_back() -> None:
    assert "no keyframe" in text(panels.strip_line(0, -1, following=True, width=40))
    newest = text(panels.strip_line(128, 127, following=True, width=46))
    assert "[128]" in newest
    assert "‹" in newest
    assert "›" not in newest
    walked = text(panels.strip_line(128, 50, following=False, width=46))
    assert "50 [51] 52" in walked
    assert "›" in walked
    assert "End" in walked
    assert cell_len(walked) <= 46


def test_what_to_do_is_said_when_nothing_is_rendered() -> None:
    assert notice_line(RUNNING, NOW) == ()
    assert "r goes on" in text(notice_line(VIEWS["lost"], NOW))
    killed = text(notice_line(VIEWS["restarted"], NOW))
    assert killed == "restarted 2 min ago: the engine was killed (out of memory?)"
    assert notice_line(VIEWS["restarted"], NOW + 3600) == ()
    assert "out of memory" in text(notice_line(VIEWS["failed"], NOW))
    assert notice_line(VIEWS["finished"], NOW) == ()
    unreachable = view(Situation.UNREACHABLE, why="process 1 on gpu02 renders it")
    assert "gpu02" in text(notice_line(unreachable, NOW))


def test_leaving_says_how_to_come_back() -> None:
    assert farewell(RUNNING) == (
        "aurora goes on rendering; `zoomtui attach /films/aurora.zoom` shows it again"
    )
    assert "zoomtui resume" in farewell(VIEWS["lost"])
    assert farewell(VIEWS["finished"]) == ""


def test_the_window_title_is_harmless() -> None:
    evil = replace(RUNNING, folder=Path("/films/\x1b]0;x\x07.zoom"))
    assert "\x1b" not in title(evil)
    assert title(RUNNING) == "● 128 · aurora"


def test_keys_make_room_for_the_way_out() -> None:
    hints = [("space", "pause"), ("p", "prompt"), ("v", "view"), ("d", "detach"), ("?", "help")]
    assert text(key_line(hints, 80)) == " space pause  p prompt  v view  d detach  ? help "
    assert text(key_line(hints, 38)) == " space pause  d detach  ? help "


def test_provenance_of_an_older_keyframe() -> None:
    made = {"seed": 5, "seconds": 1.25, "seam": 1.1, "drift": 0.4, "prompt": "a\x1b[2Jreef"}
    assert text(caption.provenance_line(made)) == "1.2 s · seam 1.10 · drift 0.4 · a\\x1b[2Jreef"
    assert caption.provenance_line({"seconds": "soon", "prompt": 7}) == ()
    assert caption.provenance_line({"seam": 10**400, "drift": float("inf")}) == ()


@pytest.mark.parametrize("said", ["[1]", '{"a":' * 100_000 + "0" + "}" * 100_000])
def test_provenance_that_no_zoomtui_has_written(said: str, tmp_path: Path) -> None:
    text = PngInfo()
    text.add_itxt("zoomtui", said)
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png", pnginfo=text)
    assert caption.read_figures(tmp_path / "a.png") == (("its file can't be read", "bad"),)


def test_figures_that_are_not_good_say_so_in_a_word_and_a_colour() -> None:
    line = caption.provenance_line({"seconds": 2.0, "seam": 2.0, "drift": 61.0})
    assert line == (
        ("2.0 s", ""),
        (" · ", ""),
        ("seam 2.00 fair", "warn"),
        (" · ", ""),
        ("drift 61.0 poor", "bad"),
    )
    assert grade("seam", 1.5) == "good"
    assert grade("seam", 2.51) == "poor"
    assert grade("seconds", 999) is None


def test_small_change() -> None:
    assert clock_text(4000) == "1:06:40"
    assert bar(0.5, 4) == "━━──"
    assert bar(7, 2) == "━━"
    assert spark((0, 50, 100), 5) == "  ▁▅█"
    assert text(cut([("日本語", "")], 5)) == "日本…"
    assert text(cut([("abc", "")], 0)) == ""
    assert joined([]) == [("n/a", "")]
    assert joined(["12 fps", "0.4×"], 8) == [("12 fps", "")]
    assert len(quoted("x" * 10_000)[0]) == 2000


def test_paused_and_draining_are_words_of_their_own() -> None:
    assert view_word(view(phase=Phase.DRAINING))[0] == "● FINISHING"
    assert ends_texts(view(phase=Phase.DRAINING)) == ["after the segment in hand"]
    assert not view(phase=Phase.DRAINING).steerable
    assert View(Path("x")).resumable is False
