"""Messages on the desktop: the sequence that each terminal knows, through a real tmux too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.terminal import ptys
from tests.terminal.ptys import python
from tests.terminal.tmux import ALLOW, RealTmux, needs_tmux
from tests.tui.scripted import HOSTILE
from zoomtui.terminal.capabilities import Terminal
from zoomtui.terminal.notices import notice, notice_kind

KITTY = "\x1b]99;i=zoomtui:d=0:o=unfocused;reef\x1b\\\x1b]99;i=zoomtui:p=body;finished, all\x1b\\"
URXVT = "\x1b]777;notify;reef;finished, all\x1b\\"
GROWL = "\x1b]9;reef: finished, all\x1b\\"


def terminal(name: str, **more: bool) -> Terminal:
    return Terminal(name, "truecolor", "blocks", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kitty(0.46.2)", KITTY),
        ("foot(1.13.1)", URXVT),
        ("ghostty 1.3.1", URXVT),
        ("WezTerm 20260101-000000-abcdef", URXVT),
        ("iTerm2 3.6.9", GROWL),
        ("VTE(7802)", URXVT + "\a"),
        ("Windows Terminal", URXVT + "\a"),
        ("XTerm(379)", "\a"),
        ("", "\a"),
    ],
)
def test_each_terminal_gets_what_it_knows(name: str, said: str) -> None:
    assert notice(terminal(name), "reef", "finished; all") == said


def test_in_tmux_it_is_wrapped_where_that_is_allowed_and_the_bell_rings_for_hidden_panes() -> None:
    within = terminal("foot(1.13.1)", in_tmux=True, passthrough=True)
    assert notice(within, "reef", "finished, all") == (
        "\x1bPtmux;\x1b\x1b]777;notify;reef;finished, all\x1b\x1b\\\x1b\\\a"
    )
    assert notice(terminal("foot(1.13.1)", in_tmux=True), "reef", "finished") == "\a"
    assert "allow-passthrough" in notice_kind(terminal("foot(1.13.1)", in_tmux=True))[2]


@pytest.mark.parametrize("name", ["kitty(0.46.2)", "foot(1.13.1)", "iTerm2 3.6.9", "XTerm(379)"])
def test_nothing_in_a_message_is_obeyed(name: str) -> None:
    frames = r"\x1b\](?:99;[a-z0-9=:]*;|777;notify;|9;)[^\x00-\x1f\x7f-\x9f]*\x1b\\"
    for text in (*HOSTILE, "\x9d99;;x\x9c", "a;b:c\\", "4;1;50"):
        said = notice(terminal(name), text, text)
        assert re.fullmatch(f"(?:{frames})*\a?", said)
        assert said.count(";") == notice(terminal(name), "", "").count(";")
        assert len(said) < 700


@needs_tmux
@pytest.mark.parametrize("tmux", [(ptys.KITTY, ALLOW)], indirect=True)
def test_real_tmux_hands_it_on_to_the_terminal_outside(tmux: RealTmux, tmp_path: Path) -> None:
    script = tmp_path / "say.py"
    script.write_text(
        "import os\n"
        "from zoomtui.terminal.capabilities import detect\n"
        "from zoomtui.terminal.notices import notice\n"
        "os.write(2, notice(detect(os.environ), 'reef', 'finished, all').encode())\n"
    )
    tmux.type(f"PYTHONPATH={Path.cwd()} {python()[0]} {script}")
    for piece in KITTY.encode().split(b"\x1b\\")[:2]:  # tmux paints in between
        tmux.terminal.wait_for(piece + b"\x1b\\")
