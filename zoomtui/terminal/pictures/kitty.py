"""Pictures by Unicode placeholders of kitty's graphics protocol: what to send, what to print.

A picture is sent once, under an id, with a *virtual placement* of some columns and rows; then it is
shown wherever text of U+10EEEE cells carries the id as its colour and row and column as combining
characters. Text can be scrolled, clipped and covered, by Textual and by tmux, and the picture with
it. Specification: "Terminal graphics protocol", section Unicode placeholders, in kitty's manual.
"""

from __future__ import annotations

import io
import secrets
from base64 import standard_b64encode
from collections.abc import Iterator

from PIL import Image
from rich.color import Color
from rich.style import Style

from zoomtui.terminal.capabilities import Terminal
from zoomtui.terminal.passthrough import through_tmux
from zoomtui.terminal.pictures.cells import shrink
from zoomtui.terminal.pictures.placeholders import placeholders
from zoomtui.terminal.pictures.request import Ahead, Drawing, Pixels

PLACEHOLDER = "\U0010eeee"

CHUNK = 4096
"""Most base64 characters that one escape sequence may carry."""

_PALETTE = 256
"""Colours of a PNG: a third of the bytes, and at preview sizes next to no loss."""


def draw(
    picture: Image.Image, size: tuple[int, int], terminal: Terminal, limit: int = 0
) -> Drawing:
    """Half the pixels each way that the cells have, or fewer where the picture has no more."""
    half = tuple(max(1, cells * side // 2) for cells, side in zip(size, terminal.cell, strict=True))
    small_enough = picture.width <= half[0] and picture.height <= half[1]
    png = to_png(shrink(picture, picture.size if small_enough else (half[0], half[1])))
    image, wrap = fresh_id(), terminal.in_tmux
    carried = Style(color=Color.from_rgb(image >> 16 & 255, image >> 8 & 255, image & 255))
    ahead = Ahead(
        list(transmission(image, png, *size, wrap=wrap)),
        abandon=abandon(image, wrap=wrap),
        delete=delete(image, wrap=wrap),
    )
    return Drawing(placeholders(PLACEHOLDER, *size, style=carried), image=image, ahead=ahead)


def to_png(pixels: Pixels) -> bytes:
    """(H, W, 3) pixels as a PNG with a palette of its own; dithering would only make it larger."""
    picture = Image.fromarray(pixels).quantize(_PALETTE, method=Image.Quantize.FASTOCTREE)
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=6)
    return out.getvalue()


def fresh_id() -> int:
    """An id below 2²⁴, to be carried exactly by a colour.

    Random, as all programs in the panes of one tmux share the terminal's ids.
    """
    return secrets.randbelow(2**24 - 1) + 1


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
    """An APC sequence, for tmux inside its passthrough."""
    plain = f"\x1b_G{keys}{';' + payload if payload else ''}\x1b\\"
    return through_tmux(plain) if wrap else plain
