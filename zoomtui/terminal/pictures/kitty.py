"""Pictures by Unicode placeholders of kitty's graphics protocol: what to send, what to print.

A picture is sent once, under an id, with a *virtual placement* of some columns and rows; then it is
shown wherever text of U+10EEEE cells carries the id as its colour and row and column as combining
characters. Text can be scrolled, clipped and covered, by Textual and by tmux, and the picture with
it. Specification: "Terminal graphics protocol", section Unicode placeholders, in kitty's manual.
"""

from __future__ import annotations

import secrets
from base64 import standard_b64encode
from collections.abc import Iterator
from functools import cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

PLACEHOLDER = "\U0010eeee"

CHUNK = 4096
"""Most base64 characters that one escape sequence may carry."""

# The characters that number rows and columns: those of Unicode 6.0 in combining class 230 that have
# no decomposition and are part of none. Written out, as a newer Unicode has more of them.
_MARKS = """
0305 030D-030E 0310 0312 033D-033F 0346 034A-034C 0350-0352 0357 035B 0363-036F 0483-0487 0592-0595
0597-0599 059C-05A1 05A8-05A9 05AB-05AC 05AF 05C4 0610-0617 0657-065B 065D-065E 06D6-06DC 06DF-06E2
06E4 06E7-06E8 06EB-06EC 0730 0732-0733 0735-0736 073A 073D 073F-0741 0743 0745 0747 0749-074A
07EB-07F1 07F3 0816-0819 081B-0823 0825-0827 0829-082D 0951 0953-0954 0F82-0F83 0F86-0F87 135D-135F
17DD 193A 1A17 1A75-1A7C 1B6B 1B6D-1B73 1CD0-1CD2 1CDA-1CDB 1CE0 1DC0-1DC1 1DC3-1DC9 1DCB-1DCC
1DD1-1DE6 1DFE 20D0-20D1 20D4-20D7 20DB-20DC 20E1 20E7 20E9 20F0 2CEF-2CF1 2DE0-2DFF A66F A67C-A67D
A6F0-A6F1 A8E0-A8F1 AAB0 AAB2-AAB3 AAB7-AAB8 AABE-AABF AAC1 FE20-FE26 10A0F 10A38 1D185-1D189
1D1AA-1D1AD 1D242-1D244
"""


@cache
def marks() -> str:
    """The character at index n stands for row or column n; more can't be numbered."""
    found = []
    for part in _MARKS.split():
        first, _, last = part.partition("-")
        found += [chr(code) for code in range(int(first, 16), int(last or first, 16) + 1)]
    return "".join(found)


def fresh_id() -> int:
    """An id below 2²⁴, to be carried exactly by a colour.

    Random, as all programs in the panes of one tmux share the terminal's ids.
    """
    return secrets.randbelow(2**24 - 1) + 1


def placeholder_lines(image: int, columns: int, rows: int) -> list[Strip]:
    """The lines that show the picture of that id, which their foreground carries.

    Every cell says its row and column, so that any part of them holds.
    """
    numbers = marks()
    style = Style(color=Color.from_rgb(image >> 16 & 255, image >> 8 & 255, image & 255))
    lines = []
    for row in range(rows):
        cells = [PLACEHOLDER + numbers[row] + numbers[column] for column in range(columns)]
        lines.append(Strip([Segment("".join(cells), style)], columns))
    return lines


def transmission(
    image: int, data: bytes, columns: int, rows: int, *, wrap: bool = False
) -> Iterator[str]:
    """The sequences that send a PNG as `image`, to be shown in `columns` × `rows` cells.

    All of them must be written, in order, with no other graphics in between (other text may be).
    The terminal is told to keep quiet. `wrap` for tmux.
    """
    text = standard_b64encode(data).decode("ascii")
    for start in range(0, len(text), CHUNK):
        more = int(start + CHUNK < len(text))
        head = f"a=T,U=1,f=100,i={image},c={columns},r={rows},q=2,m={more}" if not start else ""
        yield _command(head or f"q=2,m={more}", text[start : start + CHUNK], wrap)


def abandon(image: int, *, wrap: bool = False) -> str:
    """Ends a transmission that won't be finished, and forgets it."""
    return _command("q=2,m=0", "", wrap) + delete(image, wrap=wrap)


def delete(image: int, *, wrap: bool = False) -> str:
    """Forgets the picture and its data. By id and with the capital I: nothing else frees both."""
    return _command(f"a=d,d=I,i={image},q=2", "", wrap)


def _command(keys: str, payload: str, wrap: bool) -> str:
    """An APC sequence, for tmux inside its passthrough, with every escape doubled."""
    plain = f"\x1b_G{keys}{';' + payload if payload else ''}\x1b\\"
    if not wrap:
        return plain
    return f"\x1bPtmux;{plain.replace(chr(27), chr(27) * 2)}\x1b\\"
