"""What a terminal answers when it is asked about itself: reading it, and keeping it from the keys.

A reply comes in on the same line as the keyboard. One that arrives after the question was given up
would be read as key presses (an XTVERSION reply is some 18 of them), so :class:`ReplyFilter` takes
replies out of the input before anything looks for keys in it, and with them the mouse reports of
X10, which Textual never asks for. Pure text in, text out: knows no terminal, no clock and no
Textual.

Forms: xterm's "Control Sequences" (XTVERSION, DECRQSS, DA1, DA2, OSC 10 and 11, CSI 16 t,
XTSMGRAPHICS) and the
graphics protocol of kitty. No keyboard sends any of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BODY = r"[^\x1b\x07]{0,400}"
_REPLY = re.compile(
    rf"\x1b(?:P(?:>\||[01]\$r){_BODY}\x1b\\"
    rf"|_G{_BODY}\x1b\\"
    rf"|\]1[01];{_BODY}(?:\x07|\x1b\\)"
    r"|\[[?>][\d;]{0,60}[cS]"
    r"|\[6;\d{1,5};\d{1,5}t"
    r"|\[M[^\x1b]{3})"  # a mouse report of X10: three bytes, of any value
)
_BEGUN = re.compile(  # more will come: the end can only be a reply's
    rf"\x1b(?:P(?:>\||[01]\$r){_BODY}\x1b?|_G{_BODY}\x1b?|\]1[01];{_BODY}\x1b?"
    r"|\[M[^\x1b]{0,2})\Z"
)
_MAYBE = re.compile(  # may become a reply, may just as well be a key
    r"\x1b(?:P(?:>|[01]\$?)?|_|\](?:1[01]?)?|\[(?:[?>][\d;]{0,60}|6(?:;\d{0,5}){0,2})?)?\Z"
)
_NAME = re.compile(r"\x1bP>\|([^\x1b]*)\x1b\\")
_CELL = re.compile(r"\x1b\[6;(\d+);(\d+)t")
_TRUECOLOUR = re.compile(r"\x1bP1\$r[^\x1b]*48[:;]2[:;]+1[:;]2[:;]3")
_GROUND = re.compile(r"\x1b\]11;rgba?:([0-9a-fA-F]+)/([0-9a-fA-F]+)/([0-9a-fA-F]+)")
_REGISTERS = re.compile(r"\x1b\[\?1;0;(\d+)S")
_GRAPHIC = re.compile(r"\x1b\[\?2;0;(\d+);(\d+)S")
SENTINEL = re.compile(r"\x1b\[\?([\d;]*)c")
"""The reply to DA1. Every terminal gives it, in the order of the questions, so it ends the wait."""

_PASTE_BEGINS, _PASTE_ENDS = "\x1b[200~", "\x1b[201~"


@dataclass(frozen=True, slots=True)
class Replies:
    """What a terminal said about itself; a field that it said nothing about is None or empty."""

    name: str = ""
    """XTVERSION, such as ``kitty(0.46.2)``; printable characters only."""
    cell: tuple[int, int] | None = None
    """Width and height of a character cell in pixels."""
    truecolour: bool = False
    """A colour of 24 bits that was set could be read back unchanged (DECRQSS)."""
    dark: bool | None = None
    """Whether the background is dark (OSC 11)."""
    sixel: bool = False
    """DA1 names sixel graphics (4)."""
    registers: int | None = None
    """How many colours a sixel graphic may have (XTSMGRAPHICS)."""
    graphic: tuple[int, int] | None = None
    """Width and height in pixels of the largest one (XTSMGRAPHICS)."""
    answered: bool = False
    """Whether the sentinel arrived, so that nothing more is to come."""
    rtt: float = 0.0
    """Seconds from the question to the sentinel; to the time limit where it never came."""


def read_replies(text: str, rtt: float) -> Replies:
    """Everything that `text`, as it came from the terminal, says."""
    name, cell, ground = _NAME.search(text), _CELL.search(text), _GROUND.search(text)
    registers, graphic = _REGISTERS.search(text), _GRAPHIC.search(text)
    attributes = SENTINEL.search(text)
    printable = "".join(c for c in name[1] if c.isprintable())[:60] if name else ""
    return Replies(
        name=printable.strip(),
        cell=(int(cell[2]), int(cell[1])) if cell and int(cell[1]) and int(cell[2]) else None,
        truecolour=bool(_TRUECOLOUR.search(text)),
        dark=_is_dark(ground) if ground else None,
        sixel=attributes is not None and "4" in attributes[1].split(";"),
        registers=int(registers[1]) if registers else None,
        graphic=(int(graphic[1]), int(graphic[2])) if graphic else None,
        answered=attributes is not None,
        rtt=rtt,
    )


def _is_dark(ground: re.Match[str]) -> bool:
    """Luma (BT.709 weights) of an X11 colour whose channels have 1 to 4 hex digits each."""
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in ground.groups())
    luma: float = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return luma < 0.5


class ReplyFilter:
    """Takes replies out of the stream of input, however it is cut into reads.

    What may be the beginning of a reply is held back: at most `patience` seconds where a key could
    begin that way too, and then handed on; longer where only a reply can, and then dropped. Pasted
    text is never touched. The text has one character a byte (Latin-1): it is decoded afterwards, as
    a mouse report may hold any bytes.
    """

    def __init__(self, patience: float = 0.1, reply_patience: float = 2.0) -> None:
        self._patience = patience
        self._reply_patience = reply_patience
        self._held = ""
        self._held_since = 0.0
        self._pasting = False

    def feed(self, text: str, now: float) -> str:
        """The part of `text`, which arrived at `now` (seconds, any origin), that is no reply."""
        text = self._held + text
        was_held, self._held = self._held, ""
        out: list[str] = []
        position = 0
        while (escape := text.find("\x1b", position)) >= 0:
            out.append(text[position:escape])
            if not self._pasting and (reply := _REPLY.match(text, escape)):
                position = reply.end()
                continue
            unfinished = _BEGUN.match(text, escape) or _MAYBE.match(text, escape)
            if not self._pasting and unfinished:
                self._held = text[escape:]
                if not (was_held and escape == 0):  # else it is the same one, still growing
                    self._held_since = now
                return "".join(out)
            if text.startswith((_PASTE_BEGINS, _PASTE_ENDS), escape):
                self._pasting = text.startswith(_PASTE_BEGINS, escape)
            out.append("\x1b")
            position = escape + 1
        out.append(text[position:])
        return "".join(out)

    def overdue(self, now: float) -> str:
        """What was held back and turned out, by waiting, to be no reply."""
        if not self._held:
            return ""
        waited = now - self._held_since
        if _BEGUN.match(self._held):
            if waited > self._reply_patience:
                self._held = ""
            return ""
        if waited <= self._patience:
            return ""
        held, self._held = self._held, ""
        return held
