"""What is made of a terminal: fake ones in ptys, real tmux, and the rules themselves."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from renderer.errors import SettingsError
from tests.cli.processes import PATIENCE
from tests.terminal import ptys
from tests.terminal.ptys import FakeTerminal, python
from tests.terminal.tmux import ALLOW, RGB, RealTmux, needs_tmux
from zoomtui.terminal.capabilities import Terminal, decide, detect, prepare_environment
from zoomtui.terminal.driver import typed
from zoomtui.terminal.probe import Tmux
from zoomtui.terminal.replies import Replies, ReplyFilter, read_replies

ASK = """
import dataclasses, json, os, sys, termios
from zoomtui.terminal.capabilities import detect
before = termios.tcgetattr(0)
terminal = detect(os.environ, timeout=float(sys.argv[1]))
heavy = [name for name in ("textual", "numpy", "PIL", "torch", "av") if name in sys.modules]
same = before == termios.tcgetattr(0)
print("<" + json.dumps({**dataclasses.asdict(terminal), "heavy": heavy, "same": same}) + ">")
"""


def ask(
    replies: Mapping[bytes, bytes],
    env: Mapping[str, str] | None = None,
    *,
    delay: float = 0.0,
    timeout: float = PATIENCE,
) -> dict[str, Any]:
    """The verdict of a program that asks such a terminal."""
    command = python("-c", ASK, str(timeout))
    with FakeTerminal(command, replies=replies, delay=delay, env=env) as terminal:
        seen = terminal.wait_for(b"}>")
    return dict(json.loads(seen[seen.index(b"<{") + 1 : seen.index(b"}>") + 1]))


@pytest.mark.parametrize(
    ("replies", "env", "name", "colours", "pictures"),
    [
        (ptys.KITTY, {}, "kitty(0.46.2)", "truecolor", "kitty"),
        (ptys.GHOSTTY, {}, "ghostty 1.3.1", "truecolor", "kitty"),
        (ptys.VSCODE, {}, "xterm.js(6.1.0)", "truecolor", "iterm2"),
        (ptys.WEZTERM, {}, "WezTerm", "truecolor", "iterm2"),
        (ptys.FOOT, {}, "foot(1.20.0)", "truecolor", "sixel"),
        (ptys.FOOT, {"ZELLIJ": "0"}, "foot(1.20.0)", "truecolor", "blocks"),
        (ptys.VTE, {}, "VTE(7802)", "truecolor", "blocks"),
        (ptys.TERMINAL_APP, {"TERM_PROGRAM": "Apple_Terminal"}, "Apple_Terminal", "256", "blocks"),
        (ptys.KITTY, {"NO_COLOR": "1"}, "kitty(0.46.2)", "none", "ascii"),
        (ptys.KITTY, {"LC_ALL": "en_US.ISO-8859-1"}, "kitty(0.46.2)", "truecolor", "ascii"),
        (ptys.KITTY, {"ZOOMTUI_PREVIEW": "off"}, "kitty(0.46.2)", "truecolor", "off"),
        (ptys.KITTY, {"ZELLIJ": "0"}, "kitty(0.46.2)", "truecolor", "blocks"),
    ],
)
def test_each_terminal_gets_what_it_can_show(
    replies: Mapping[bytes, bytes], env: dict[str, str], name: str, colours: str, pictures: str
) -> None:
    verdict = ask(replies, env)
    assert verdict["name"].startswith(name)
    assert (verdict["colours"], verdict["pictures"]) == (colours, pictures)
    assert not verdict["mute"]
    assert len(verdict["why"]) == 3
    assert verdict["heavy"] == []
    assert verdict["same"], "the terminal's mode was left changed"


def test_the_cell_and_the_background_are_heard_and_how_large_sixels_may_be() -> None:
    foot = ask(ptys.FOOT)
    assert (foot["registers"], foot["graphic"]) == (64, [4000, 3000])
    assert ask(ptys.GHOSTTY)["cell"] == [16, 34]
    assert ask(ptys.KITTY)["dark"] is True
    assert ask(ptys.VTE)["dark"] is False


def test_a_terminal_300_ms_away_is_understood_and_its_distance_known() -> None:
    verdict = ask(ptys.KITTY, {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, delay=0.3)
    assert verdict["pictures"] == "kitty"
    assert verdict["colours"] == "truecolor"
    assert verdict["remote"]
    assert verdict["rtt"] >= 0.3


def test_a_mute_terminal_is_given_up_and_remembered_as_mute() -> None:
    verdict = ask(ptys.MUTE, timeout=0.4)
    assert verdict["mute"]
    assert verdict["rtt"] is None
    assert (verdict["colours"], verdict["pictures"]) == ("256", "blocks")


def test_keys_and_replies_that_come_too_late_are_not_left_for_the_shell() -> None:
    """Everything that arrives while it asks is gone; what is typed afterwards is read."""
    then = "import sys; print('READY'); print('LINE', repr(sys.stdin.readline()))"
    with FakeTerminal(python("-c", ASK + then, str(PATIENCE)), delay=0.3) as terminal:
        terminal.wait_for(ptys.DA1)
        terminal.send(b"rm -rf\n")
        terminal.wait_for(b"READY")
        terminal.send(b"yes\n")
        terminal.wait_for(rb"LINE 'yes\n'")


def test_no_terminal_at_all_is_no_error() -> None:
    program = (
        "import os; from zoomtui.terminal.capabilities import detect\nprint(detect(os.environ))"
    )
    done = subprocess.run(
        python("-c", program),
        env={**os.environ, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pictures='off'" in done.stdout
    assert "no terminal: standard input" in done.stdout
    assert detect({"TERM": "dumb"}).pictures == "off"
    assert detect({}).colours == "none"


# ------------------------------------------------------------------------------ the rules


def verdict_on(
    environ: Mapping[str, str], name: str = "", tmux: Tmux | None = None, **heard: Any
) -> Terminal:
    replies = Replies(name=name, answered=True, **heard)
    return decide({"TERM": "xterm-256color", **environ}, replies, tmux)


@pytest.mark.parametrize(
    ("name", "pictures"),
    [
        ("kitty(0.27.1)", "blocks"),
        ("kitty(0.28.0)", "kitty"),
        ("ghostty 1.0.0", "kitty"),
        ("Rio 0.2.30", "blocks"),
        ("iTerm2 3.6.2", "blocks"),
        ("Konsole 25.08.1", "blocks"),
        ("foot(1.20.0)", "blocks"),
        ("tmux 3.6a", "blocks"),
        ("kittykat 9.9", "blocks"),
        ("", "blocks"),
    ],
)
def test_pictures_go_by_name_and_version(name: str, pictures: str) -> None:
    assert verdict_on({}, name, truecolour=True).pictures == pictures


@pytest.mark.parametrize(
    ("name", "pictures"),
    [
        ("kitty(0.28.0)", "kitty"),
        ("iTerm2 3.6.2", "iterm2"),
        ("iTerm2 3.2.1", "sixel"),
        ("WezTerm 20240203-110809-5046fc22", "iterm2"),
        ("mintty 3.7.4", "iterm2"),
        ("xterm.js(5.5.0)", "iterm2"),
        ("XTerm(379)", "sixel"),
        ("Konsole 25.08.1", "sixel"),
        ("", "sixel"),
    ],
)
def test_where_the_answer_names_graphics_the_name_says_which(name: str, pictures: str) -> None:
    heard = {"truecolour": True, "sixel": True, "cell": (8, 16)}
    assert verdict_on({}, name, **heard).pictures == pictures
    inside = Tmux(name, rgb=True, passthrough=True)
    tmux = verdict_on({"TMUX": "/tmp/x,1,0"}, "tmux 3.6a", inside, **heard)
    assert tmux.pictures == ("kitty" if pictures == "kitty" else "blocks")


def test_without_the_size_of_a_cell_there_are_no_sixels() -> None:
    assert verdict_on({}, "foot(1.20.0)", truecolour=True, sixel=True).pictures == "blocks"


@pytest.mark.parametrize(
    ("environ", "name", "colours"),
    [
        ({"COLORTERM": "truecolor"}, "", "truecolor"),
        ({"COLORTERM": "24bit"}, "", "truecolor"),
        ({"COLORTERM": "truecolor", "TERM_PROGRAM": "Apple_Terminal"}, "", "256"),
        ({}, "VTE(7802)", "truecolor"),
        ({"WT_SESSION": "x"}, "", "truecolor"),
        ({"TERM": "alacritty"}, "", "truecolor"),
        ({"TERM": "xterm-direct"}, "", "truecolor"),
        ({}, "", "256"),
        ({"TERM": "xterm"}, "", "16"),
        ({"TERM": "linux"}, "", "16"),
        ({"TERM": "vt220"}, "", "none"),
        ({"NO_COLOR": "", "COLORTERM": "truecolor"}, "kitty(0.46.2)", "none"),
    ],
)
def test_colours_go_by_what_is_known(environ: dict[str, str], name: str, colours: str) -> None:
    assert verdict_on(environ, name).colours == colours


@pytest.mark.parametrize(
    ("tmux", "colours", "pictures"),
    [
        (Tmux("kitty(0.46.2)", rgb=True, passthrough=True), "truecolor", "kitty"),
        (Tmux("kitty(0.46.2)", rgb=True, passthrough=False), "truecolor", "blocks"),
        (Tmux("kitty(0.46.2)", rgb=False, passthrough=True), "256", "blocks"),
        (Tmux("xterm.js(6.1.0)", rgb=True, passthrough=True), "truecolor", "blocks"),
        (Tmux("", rgb=True, passthrough=True), "truecolor", "blocks"),
        (Tmux("tmux 3.6a", rgb=True, passthrough=True), "truecolor", "blocks"),
    ],
)
def test_in_tmux_the_terminal_outside_decides(tmux: Tmux, colours: str, pictures: str) -> None:
    environ = {"TMUX": "/tmp/x,1,0", "COLORTERM": "truecolor"}
    verdict = verdict_on(environ, "tmux 3.6a", tmux)
    assert (verdict.colours, verdict.pictures) == (colours, pictures)
    assert verdict.in_tmux


def test_a_choice_is_obeyed_as_far_as_colours_carry_it() -> None:
    good = Replies(name="xterm.js(6)", truecolour=True, answered=True)
    for word in ("kitty", "iterm2", "blocks", "ascii", "off"):
        assert decide({"TERM": "x"}, good, None, chosen=(word, "test")).pictures == word  # type: ignore[arg-type]
    poor = decide({"TERM": "xterm-256color"}, Replies(answered=True), None, chosen=("kitty", "t"))
    assert poor.pictures == "blocks"
    none = decide({"TERM": "x", "NO_COLOR": "1"}, good, None, chosen=("kitty", "t"))
    assert none.pictures == "ascii"
    has = Replies(truecolour=True, answered=True, sixel=True, cell=(8, 16))
    for replies, pictures in ((has, "sixel"), (good, "blocks"), (Replies(), "blocks")):
        assert decide(
            {"TERM": "xterm-256color"}, replies, None, chosen=("sixel", "t")
        ).pictures == (pictures)
    inside = decide({"TERM": "tmux-256color", "TMUX": "x"}, has, Tmux(), chosen=("iterm2", "t"))
    assert inside.pictures == "blocks"


def test_a_word_that_is_no_choice_is_refused_with_the_choices() -> None:
    with pytest.raises(
        SettingsError, match="'regis'; it can be auto, kitty, iterm2, sixel, blocks, ascii, off"
    ):
        detect({"TERM": "xterm"}, override="regis")
    with pytest.raises(SettingsError, match="ZOOMTUI_PREVIEW"):
        detect({"TERM": "xterm", "ZOOMTUI_PREVIEW": "nice"})


def test_textual_is_told_the_colours_and_to_be_gentle_over_ssh() -> None:
    far = Terminal("kitty", "truecolor", "kitty", remote=True)
    told = prepare_environment(far, {"TEXTUAL_FPS": "15"})
    assert told["TEXTUAL_COLOR_SYSTEM"] == "truecolor"
    assert told["TEXTUAL_ANIMATIONS"] == "none"
    assert told["TEXTUAL_SMOOTH_SCROLL"] == "0"
    assert "TEXTUAL_FPS" not in told, "what the user set stays"
    assert prepare_environment(Terminal("", "256", "blocks"), {})["TEXTUAL_COLOR_SYSTEM"] == "256"
    assert prepare_environment(Terminal("", "none", "ascii"), {})["NO_COLOR"] == "1"


# --------------------------------------------------------------------------- late replies

LATE = (
    "\x1bP>|kitty(0.46.2)\x1b\\\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\\x1b[6;20;10t"
    "\x1bP1$r0;48:2:1:2:3m\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?62;4c\x1b[?1;0;256S"
    "\x1b[M \xc8\xc9\x1b[>1;4000;29c"
)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_replies_are_taken_out_however_they_are_cut(step: int) -> None:
    text, replies, out = f"ab{LATE}c\x1b[Ad{LATE}", ReplyFilter(), ""
    for start in range(0, len(text), step):
        out += replies.feed(text[start : start + step], start / 1000)
    assert out + replies.overdue(100) == "abc\x1b[Ad"


@pytest.mark.parametrize(
    "keys",
    ["\x1b", "\x1bP", "\x1b_", "\x1b]", "\x1b[6~", "\x1b[A", "\x1b[", "\x1b[<0;3;4M", "\x1b[97;5u"],
)
def test_keys_that_begin_like_a_reply_come_through(keys: str) -> None:
    replies = ReplyFilter()
    out = replies.feed(keys, 0.0)
    assert out + replies.overdue(0.2) == keys


def test_half_a_reply_never_becomes_keys() -> None:
    replies = ReplyFilter()
    assert replies.feed("\x1bP>|kit", 0.0) == ""
    assert replies.overdue(1.0) == ""
    assert replies.overdue(5.0) == ""
    assert replies.feed("q", 6.0) == "q"


def test_pasted_text_is_left_alone() -> None:
    replies = ReplyFilter()
    pasted = f"\x1b[200~{LATE}\x1b[201~"
    assert replies.feed(pasted + LATE, 0.0) == pasted


def test_a_name_with_control_characters_is_made_harmless() -> None:
    assert read_replies("\x1bP>|evil\r\n\x07\x9b31m\x1b\\", 0.1).name == "evil31m"


def test_late_replies_press_no_keys_in_the_app_and_odd_bytes_do_not_end_it(
    tmp_path: Path,
) -> None:
    """The real driver in a real pty: a mute terminal that answers once the app is up."""
    report = tmp_path / "report.json"
    command = python("-m", "tests.tui.picture_app", str(report), "none.png")
    with FakeTerminal(command, replies=ptys.MUTE, env={"ASKED_FOR": "0.1"}) as terminal:
        terminal.wait_for(b"ready")
        for piece in (LATE[:20], LATE[20:50], LATE[50:]):
            terminal.send(piece.encode("latin-1"))
        terminal.send(b"x")
        terminal.wait_for(b"keys x.")
        terminal.send(b"\xff\xfe")
        terminal.send(b"\x1b")
        terminal.wait_for(b"escape.")
        terminal.send(b"q")
        assert terminal.wait() == 0
    keys = json.loads(report.read_text())["keys"]
    assert [key for key in keys if "replacement" not in key] == ["x", "escape", "q"]


def test_a_reply_is_taken_out_whole_where_the_app_had_to_wait_for_the_processor() -> None:
    """The rest of it lies ready by then: that it was read late is not the terminal's doing."""
    seconds = itertools.count(step=10)  # longer than an escape is waited for, from look to look
    keyboard, keys = os.pipe()
    try:
        text = typed(keyboard, threading.Event(), lambda: next(seconds))
        os.write(keys, b"a\x1b")
        assert next(text) == "a"
        os.write(keys, b"P>|kitty(0.46.2)\x1b\\q")
        assert next(text) == "q"
    finally:
        os.close(keys)
        os.close(keyboard)


def test_an_app_that_was_stopped_from_outside_goes_on_as_it_was(tmp_path: Path) -> None:
    """It reads every key, shows itself again, ends when told and leaves the terminal as it was."""
    report = tmp_path / "report.json"
    command = python("-m", "tests.tui.picture_app", str(report), "none.png")
    with FakeTerminal(command) as terminal:
        terminal.wait_for(b"ready")
        terminal.send(b"a")
        seen = len(terminal.wait_for(b"keys a."))
        for key in (b"b", b"c"):
            os.kill(terminal.process.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
            terminal.send(key)
            os.kill(terminal.process.pid, signal.SIGCONT)
            terminal.wait_for(b"ready", start=seen)
            seen = len(terminal.wait_for(b"keys a b" if key == b"b" else b"keys a b c."))
        terminal.send(b"q")
        assert terminal.wait() == 0
        assert terminal.modes() == terminal.modes_before
    assert json.loads(report.read_text())["keys"] == ["a", "b", "c", "q"]


def test_a_terminal_that_is_closed_ends_the_app(tmp_path: Path) -> None:
    """Even with SIGHUP ignored, as under nohup: it neither hangs nor spins."""
    report = tmp_path / "report.json"
    command = python("-m", "tests.tui.picture_app", str(report), "none.png")
    with FakeTerminal(["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command]) as terminal:
        terminal.wait_for(b"ready")
        terminal.close()
        terminal.wait()


# ---------------------------------------------------------------------------------- tmux


@needs_tmux
@pytest.mark.parametrize(
    ("tmux", "colours", "pictures", "passthrough"),
    [
        ((ptys.KITTY, f"{ALLOW}\n{RGB}"), "truecolor", "kitty", True),
        ((ptys.KITTY, RGB), "truecolor", "blocks", False),
        ((ptys.KITTY, ALLOW), "256", "blocks", True),
        ((ptys.VSCODE, f"{ALLOW}\n{RGB}"), "truecolor", "blocks", True),
    ],
    indirect=["tmux"],
)
def test_real_tmux_says_what_the_terminal_outside_can(
    tmux: RealTmux, tmp_path: Path, colours: str, pictures: str, passthrough: bool
) -> None:
    script = tmp_path / "ask.py"
    script.write_text(ASK)
    ask = f"PYTHONPATH={Path.cwd()} {python()[0]} {script} {PATIENCE}"
    tmux.type(f"{ask} >{tmp_path}/said; echo DO''NE")
    tmux.terminal.wait_for(b"DONE")
    said = json.loads((tmp_path / "said").read_text().strip("<>\n"))
    assert said["in_tmux"]
    assert (said["colours"], said["pictures"]) == (colours, pictures)
    assert said["passthrough"] is passthrough


@needs_tmux
@pytest.mark.parametrize("tmux", [(ptys.KITTY, f"{ALLOW}\n{RGB}")], indirect=True)
def test_a_picture_goes_through_real_tmux_once_and_keeps_its_id(
    tmux: RealTmux, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    tmux.type(f"cd {Path.cwd()}; {python()[0]} -m tests.tui.picture_app {report} none; echo DO''NE")
    tmux.terminal.wait_for(b"ready")
    tmux("send-keys", "n")
    tmux.terminal.wait_for(b"shown 1")
    for _ in range(3):
        tmux("send-keys", "r")
    time.sleep(0.3)
    tmux("send-keys", "q")
    tmux.terminal.wait_for(b"DONE")
    output = tmux.terminal.output
    graphics = ptys.read_graphics(output)
    (picture,) = graphics.pictures
    red, green, blue = picture.image >> 16, picture.image >> 8 & 255, picture.image & 255
    assert f"38;2;{red};{green};{blue}".encode() in output
    assert "\U0010eeee\u0305\u0305".encode() in output
    assert not graphics.alive, "the terminal was left with a picture"
