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
Pictures = Literal["kitty", "blocks", "ascii", "off"]

_IN_CELLS: tuple[Pictures, ...] = ("blocks", "ascii", "off")
"""Those made of characters alone, which go wherever text goes."""

OVERRIDE = "ZOOMTUI_PREVIEW"
"""The environment variable that chooses the kind of pictures, as the option does."""

DEFAULT_CELL = (10, 20)
"""Pixels of a character cell where the terminal doesn't say."""

_SECONDS, _SECONDS_REMOTE = 2.0, 3.0
_ESCDELAY_WHEN_MUTE = 500
"""Milliseconds; Textual's own is 100."""

# Names as XTVERSION gives them, and the version from which placeholders work.
_PLACEHOLDERS = {"kitty": (0, 28), "ghostty": (1, 0), "rio": (0, 4)}
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

    `override` is "auto" (as None), "kitty", "blocks", "ascii" or "off"; the environment variable
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
    pictures, why_pictures = _pictures(environ, name, confirmed, colours, tmux)
    if chosen:
        pictures, why_pictures = chosen[0], f"{chosen[1]} asks for {chosen[0]}"
        if pictures in {"kitty", "blocks"} and colours in {"16", "none"}:
            pictures = "ascii"
            why_pictures += f", which {colours} colours can't carry: ascii"
        elif pictures == "kitty" and colours != "truecolor":
            pictures = "blocks"
            why_pictures += ", whose ids need 24-bit colour: blocks"
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
    environ: Mapping[str, str], name: str, confirmed: bool, colours: Colours, tmux: Tmux | None
) -> tuple[Pictures, str]:
    if not _utf8(environ):
        return "ascii", "the locale is not UTF-8"
    if colours in {"16", "none"}:
        return "ascii", f"with {colours} colours blocks show no picture"
    if not _has_placeholders(name):
        return "blocks", f"{name or 'an unknown terminal'} is not known for Unicode placeholders"
    if not confirmed:
        return "blocks", f"{name} is only a guess: it did not say its name"
    if colours != "truecolor":
        return "blocks", "image ids need 24-bit colour"
    if "ZELLIJ" in environ or "STY" in environ:
        return "blocks", "zellij and screen don't hand graphics on"
    if tmux is not None and not tmux.passthrough:
        return "blocks", "tmux hands no graphics on (set -g allow-passthrough on)"
    return "kitty", f"{name} shows Unicode placeholders"


def _has_placeholders(name: str) -> bool:
    word = re.match(r"[a-z]+", name.lower())
    needed = _PLACEHOLDERS.get(word[0]) if word else None
    version = re.search(r"(\d+)\.(\d+)", name)
    if needed is None or version is None:
        return False
    return (int(version[1]), int(version[2])) >= needed


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
