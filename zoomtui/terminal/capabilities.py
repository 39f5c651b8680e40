"""What the terminal can do: found out before Textual starts, with the reasons for `doctor`.

Three steps: ask (``probe``), decide (here, pure: :func:`decide`), and tell Textual,
which reads its settings from the environment while it is imported (:func:`prepare_environment`).
Loads neither Textual nor anything heavy.

Pictures go by the terminal's *name*: several terminals accept kitty's graphics protocol without its
Unicode placeholders, the only part of it that a full-screen program can scroll, clip and cover.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from renderer.errors import SettingsError
from zoomtui.terminal.probe import NoTerminal, Tmux, ask_terminal, ask_tmux
from zoomtui.terminal.replies import Replies

Colours = Literal["truecolor", "256", "16", "none"]
Pictures = Literal["kitty", "iterm2", "sixel", "blocks", "ascii", "off"]

_IN_CELLS: tuple[Pictures, ...] = ("blocks", "ascii", "off")
"""Those made of characters alone, which go wherever text goes."""

OVERRIDE = "ZOOMTUI_PREVIEW"
"""The environment variable that chooses the kind of pictures, as the option does."""

DEFAULT_CELL = (10, 20)
"""Pixels of a character cell where the terminal doesn't say."""
_REGISTERS = 256
"""Colours of a sixel graphic, at most, and where the terminal doesn't say."""
_GRAPHIC = (10_000, 10_000)
"""Pixels of the largest sixel graphic where the terminal doesn't say."""

_SECONDS, _SECONDS_REMOTE = 2.0, 3.0
_ESCDELAY_WHEN_MUTE = 500
"""Milliseconds; Textual's own is 100."""

# Names as XTVERSION gives them, and the version from which each works.
_PLACEHOLDERS = {"kitty": (0, 28), "ghostty": (1, 0), "rio": (0, 4)}
_ITERM2 = {"iterm": (3, 3), "wezterm": (20220319, 0), "mintty": (3, 5), "xterm.js": (5, 3)}
_TRUECOLOUR = (
    *("kitty", "ghostty", "rio", "wezterm", "iterm2", "foot", "vte", "konsole", "contour"),
    *("mintty", "xterm.js", "windows terminal", "alacritty", "warpterminal", "vscode"),
)
_GUESS_BY_TERM = {
    **{name: name for name in ("alacritty", "foot", "wezterm", "contour", "rio", "mintty")},
    "xterm-kitty": "kitty",
    "xterm-ghostty": "ghostty",
    "linux": "linux console",
}


def in_cells(pictures: Pictures) -> Pictures:
    """The kind that stands in for it where only characters can be."""
    return pictures if pictures in _IN_CELLS else "blocks"


def moving(pictures: Pictures) -> Pictures:
    """The kind for many pictures a second: sixels take too many bytes, and too long to make."""
    return "blocks" if pictures == "sixel" else pictures


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the terminal can do, and how that is known."""

    name: str
    """What it calls itself, else a guess from the environment; may be empty."""
    colours: Colours
    pictures: Pictures
    in_tmux: bool = False
    passthrough: bool = False
    """Whether graphics must, and may, be wrapped for the terminal outside tmux."""
    cell: tuple[int, int] = DEFAULT_CELL
    """Width and height of a character cell in pixels."""
    registers: int = _REGISTERS
    """Colours that a sixel graphic may have; at most 256."""
    graphic: tuple[int, int] = _GRAPHIC
    """Width and height in pixels of the largest sixel graphic."""
    mute: bool = False
    """It was asked and gave no answer in time: replies may still come in as if they were keys."""
    rtt: float | None = None
    """Seconds that a question took there and back; None where nothing was asked or answered."""
    dark: bool = True
    """Whether its own background is dark; assumed where it doesn't say."""
    remote: bool = False
    """Whether it is reached over SSH."""
    why: tuple[str, ...] = ()
    """What was decided and why, one sentence each."""


def detect(
    environ: Mapping[str, str],
    *,
    override: str | None = None,
    ascii: bool = False,  # noqa: A002 - the option's own name
    timeout: float | None = None,
    fd_in: int = 0,
    fd_out: int = 2,
) -> Terminal:
    """Ask the terminal and tmux, within `timeout` seconds (default 2, over SSH 3), and decide.

    `override` is "auto" (as None) or one of :data:`Pictures`; the environment variable
    ZOOMTUI_PREVIEW stands in for it. Raises SettingsError for any other word. `fd_in` is where keys
    come from and `fd_out` where the interface is drawn (Textual draws on standard error).
    """
    chosen = _override(environ, override, ascii)
    remote = "SSH_CONNECTION" in environ or "SSH_TTY" in environ
    if environ.get("TERM", "") in {"", "dumb"}:
        return Terminal("", "none", "off", remote=remote, why=("TERM is unset or dumb: no screen",))
    replies, why = Replies(), ""
    tmux = ask_tmux(environ) if "TMUX" in environ else None
    if environ["TERM"] == "linux":
        why = "not asked: the Linux console prints questions instead of answering them"
    else:
        try:
            limit = timeout or (_SECONDS_REMOTE if remote else _SECONDS)
            replies = ask_terminal(fd_in, fd_out, limit)
        except NoTerminal as error:
            return Terminal("", "none", "off", remote=remote, why=(f"no terminal: {error}",))
    return decide(environ, replies, tmux, chosen=chosen, unasked=why)


def _override(
    environ: Mapping[str, str], override: str | None, plain: bool
) -> tuple[Pictures, str] | None:
    """The kind of pictures that was chosen, and by what."""
    if plain:
        return "ascii", "--ascii"
    word, who = override, "the option"
    if word in {None, "auto"}:
        word, who = environ.get(OVERRIDE, "auto"), OVERRIDE
    for pictures in get_args(Pictures):
        if word == pictures:
            return pictures, who
    if word in {"", "auto"}:
        return None
    allowed = ", ".join(("auto", *get_args(Pictures)))
    raise SettingsError(f"{who} asks for pictures as {word!r}; it can be {allowed}")


def decide(
    environ: Mapping[str, str],
    replies: Replies,
    tmux: Tmux | None,
    *,
    chosen: tuple[Pictures, str] | None = None,
    unasked: str = "",
) -> Terminal:
    """The verdict on what was heard. Pure: reads only `environ` and its arguments."""
    in_tmux = "TMUX" in environ
    mute = not replies.answered and not unasked
    outer = tmux.outer if tmux else ""
    name = outer if in_tmux and outer else replies.name or _guess(environ)
    confirmed = bool(outer) if in_tmux else bool(replies.name)
    colours, why_colours = _colours(environ, replies, tmux, name)
    pictures, why_pictures = _pictures(environ, name, confirmed, colours, tmux, replies)
    if chosen:
        pictures, but = _possible(chosen[0], colours, in_tmux, replies)
        why_pictures = f"{chosen[1]} asks for {chosen[0]}" + (f", {but}: {pictures}" if but else "")
    heard = (
        unasked
        or ("it answered nothing in time" if mute else "")
        or f"it answered in {replies.rtt * 1000:.0f} ms"
    )
    return Terminal(
        name=name,
        colours=colours,
        pictures=pictures,
        in_tmux=in_tmux,
        passthrough=bool(tmux and tmux.passthrough),
        cell=replies.cell or DEFAULT_CELL,
        registers=min(_REGISTERS, replies.registers or _REGISTERS),
        graphic=replies.graphic or _GRAPHIC,
        mute=mute,
        rtt=replies.rtt if replies.answered else None,
        dark=replies.dark is not False,
        remote="SSH_CONNECTION" in environ or "SSH_TTY" in environ,
        why=(
            f"terminal {name or 'unknown'}: {heard}",
            f"colours {colours}: {why_colours}",
            f"pictures {pictures}: {why_pictures}",
        ),
    )


def _guess(environ: Mapping[str, str]) -> str:
    """A name out of the environment, for a terminal that doesn't tell its own."""
    if "WT_SESSION" in environ:
        return "Windows Terminal"
    if program := environ.get("TERM_PROGRAM", ""):
        return program
    term = environ.get("TERM", "")
    return _GUESS_BY_TERM.get(term, _GUESS_BY_TERM.get(term.partition("-")[0], ""))


def _colours(
    environ: Mapping[str, str], replies: Replies, tmux: Tmux | None, name: str
) -> tuple[Colours, str]:
    term = environ.get("TERM", "")
    if "NO_COLOR" in environ:
        return "none", "NO_COLOR is set"
    if "TMUX" in environ and tmux is not None:
        if tmux.rgb:
            return "truecolor", "tmux hands 24-bit colour on"
        return "256", "tmux has no RGB for its client (set -as terminal-features ',*:RGB')"
    if replies.truecolour:
        return "truecolor", "a 24-bit colour could be read back"
    if name == "Apple_Terminal":
        return "256", "Terminal.app may claim more than it shows"
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return "truecolor", "COLORTERM says so"
    if name.lower().startswith(_TRUECOLOUR):
        return "truecolor", f"{name} is known to have it"
    if term.endswith(("-direct", "-truecolor")):
        return "truecolor", f"TERM={term}"
    if "256" in term:
        return "256", f"TERM={term}, and nothing says more (COLORTERM=truecolor would)"
    if term.startswith(("vt", "ansi-m", "xterm-mono")):
        return "none", f"TERM={term}"
    return "16", f"TERM={term}"


def _pictures(
    environ: Mapping[str, str],
    name: str,
    confirmed: bool,
    colours: Colours,
    tmux: Tmux | None,
    replies: Replies,
) -> tuple[Pictures, str]:
    if not _utf8(environ):
        return "ascii", "the locale is not UTF-8"
    if colours in {"16", "none"}:
        return "ascii", f"with {colours} colours blocks show no picture"
    if not _known(name, _PLACEHOLDERS):
        return _drawn_over(environ, name, replies)
    if not confirmed:
        return "blocks", f"{name} is only a guess: it did not say its name"
    if colours != "truecolor":
        return "blocks", "image ids need 24-bit colour"
    if "ZELLIJ" in environ or "STY" in environ:
        return "blocks", "zellij and screen don't hand graphics on"
    if tmux is not None and not tmux.passthrough:
        return "blocks", "tmux hands no graphics on (set -g allow-passthrough on)"
    return "kitty", f"{name} shows Unicode placeholders"


def _drawn_over(environ: Mapping[str, str], name: str, replies: Replies) -> tuple[Pictures, str]:
    """For a terminal without placeholders: whether it draws pictures where the cursor is."""
    name = name or "an unknown terminal"
    if {"TMUX", "ZELLIJ", "STY"} & set(environ):
        return "blocks", f"{name} is not known for Unicode placeholders, and others don't get there"
    if not replies.sixel:
        return "blocks", f"{name} is known for no placeholders, and its answer names no graphics"
    if _known(replies.name, _ITERM2):
        return "iterm2", f"{name} shows iTerm2's inline pictures"
    if replies.cell is None:
        return "blocks", f"{name} says that it has sixels, but not how large a cell is"
    return "sixel", f"{name} says that it has sixels"


def _possible(
    pictures: Pictures, colours: Colours, in_tmux: bool, replies: Replies
) -> tuple[Pictures, str]:
    """What was asked for, or what comes nearest to it and why."""
    if pictures not in {"ascii", "off"} and colours in {"16", "none"}:
        return "ascii", f"which {colours} colours can't carry"
    if pictures == "kitty" and colours != "truecolor":
        return "blocks", "whose ids need 24-bit colour"
    if pictures == "iterm2" and in_tmux:
        return "blocks", "which tmux does not hand on"
    if pictures == "sixel" and replies.answered and not replies.sixel:
        return "blocks", "which the terminal's answer doesn't name"
    if pictures == "sixel" and replies.cell is None:
        return "blocks", "for which the size of a cell is needed"
    return pictures, ""


def _known(name: str, since: Mapping[str, tuple[int, int]]) -> bool:
    """Whether the terminal's name, as XTVERSION gives it, is in the table, and new enough."""
    found = re.match(r"([a-z.]+)2?\W*(\d+)(?:\.(\d+))?", name.lower())
    if found is None or found[1] not in since:
        return False
    return (int(found[2]), int(found[3] or 0)) >= since[found[1]]


def _utf8(environ: Mapping[str, str]) -> bool:
    """Whether the locale's encoding is UTF-8; a locale that names none counts as UTF-8."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    _, _, encoding = locale.partition(".")
    return not encoding or encoding.lower().startswith(("utf-8", "utf8"))


def prepare_environment(terminal: Terminal, environ: Mapping[str, str]) -> dict[str, str]:
    """What to add to the environment before Textual is imported; nothing that is set is changed.

    The colour system, as Textual would guess too little of it over SSH; fewer frames, no animation
    and no smooth scrolling there; and more time after an escape (ESCDELAY, as ncurses has it) for a
    terminal that gave no answer yet: what follows may be the rest of a reply that was cut in two.
    """
    wanted = {
        "TEXTUAL_FPS": "30",
        "TEXTUAL_COLOR_SYSTEM": {"16": "standard", "none": "standard"}.get(
            terminal.colours, terminal.colours
        ),
    }
    if terminal.colours == "none":
        wanted["NO_COLOR"] = "1"
    if terminal.remote:
        wanted |= {
            "TEXTUAL_FPS": "20",
            "TEXTUAL_ANIMATIONS": "none",
            "TEXTUAL_SMOOTH_SCROLL": "0",
        }
    if terminal.mute:
        wanted["ESCDELAY"] = str(_ESCDELAY_WHEN_MUTE)
    return {key: value for key, value in wanted.items() if key not in environ}
