"""Provenance for kinds of files that libav gives none: added to finished GIF, WebP and PNG files.

A comment extension (GIF89a, 24), an XMP chunk (WebP container specification, extended format) and
an iTXt chunk (PNG, third edition, 11.3.3.4). Knows no frames.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

from renderer.errors import EncoderError
from renderer.images import PROVENANCE_KEY

_GIF_END = b"\x3b"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_VP8X_FLAGS = 20
"""Where an extended WebP file has its flags: after RIFF, size, WEBP, VP8X, size."""
_HAS_XMP = 0x04


def add_provenance(path: Path, muxer: str, text: str) -> None:
    """Put ``text`` into the finished file at ``path``. Raises EncoderError, OSError.

    A WebP file whose frames are all alike is a simple one, which has no place for it.
    """
    ending, make = _KINDS[muxer]
    with path.open("r+b") as file:
        if muxer == "webp" and file.read(16)[12:] != b"VP8X":
            return
        file.seek(-len(ending), 2)
        end = file.tell()
        if file.read(len(ending)) != ending:
            raise EncoderError(f"{path} has no proper end")
        file.seek(end)
        file.write(make(text) + ending)
        if muxer == "webp":
            size = file.tell()
            file.seek(4)
            file.write(struct.pack("<I", size - 8))
            file.seek(_VP8X_FLAGS)
            flags = file.read(1)[0]
            file.seek(_VP8X_FLAGS)
            file.write(bytes([flags | _HAS_XMP]))


def _gif_comment(text: str) -> bytes:
    data = text.encode("utf-8", "backslashreplace")
    blocks = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"\x21\xfe" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def _xmp_chunk(text: str) -> bytes:
    data = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Description rdf:about="">'
        f"<dc:source>{escape(text)}</dc:source></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode("utf-8", "backslashreplace")
    return b"XMP " + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _itxt_chunk(text: str) -> bytes:
    body = PROVENANCE_KEY.encode() + b"\0\0\0\0\0" + text.encode("utf-8", "backslashreplace")
    kind = b"iTXt"
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


_KINDS: dict[str, tuple[bytes, Callable[[str], bytes]]] = {
    "gif": (_GIF_END, _gif_comment),
    "webp": (b"", _xmp_chunk),
    "apng": (_PNG_END, _itxt_chunk),
}
"""Muxer → (what the file ends with, how the text is wrapped)."""
