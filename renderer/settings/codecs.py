"""What zoomtui knows of each encoder: a table (``codecs.toml``), and looking it up by name.

Every segment is encoded by a fresh encoder, must decode behind the header of the first one, and
must come out byte for byte the same each time it is made; ``pinned`` options are those that this
rests on. Loads no encoder: one that is known here may fail to open on this machine
(``encode.probe``).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from renderer.errors import SettingsError
from renderer.settings.option import unknown

FILM_BITS_PER_PIXEL = 0.25
"""Of the default codecs at their default quality on painted pictures under a slow zoom, about."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Codec:
    """One encoder and how it is called."""

    name: str
    """What the user calls it: ``h264``, or the encoder's own name."""
    encoder: str
    """libav's name of the encoder."""
    tag: str = ""
    """Sample entry in the MP4; empty: libav's own choice."""
    pixel_format: str = "yuv420p"
    """What the encoder takes: ``yuv420p``, or ``nv12``, the same samples in another order."""
    deep_format: str = ""
    """For 10 bits: ``yuv420p10le``, or ``p010le``, in nv12's order and the upper bits; empty: it
    has none."""
    crf: int
    """Default quality."""
    crf_range: tuple[int, int] = (0, 51)
    """Finest and coarsest quality."""
    quality: tuple[str, ...] = ("crf",)
    """Options that take the quality."""
    preset: str
    """Default preset."""
    presets: tuple[str, ...]
    """All presets, in the encoder's own order."""
    preset_option: str = "preset"
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Options that the user may change."""
    pinned: Mapping[str, str] = field(default_factory=dict)
    """Options that every segment rests on."""
    params: str = ""
    """Option that holds the encoder's own ``key=value:key=value`` list; empty: it has none."""
    known_params: frozenset[str] = frozenset()
    """Keys of that list that are passed on."""
    pinned_params: Mapping[str, str] = field(default_factory=dict)
    """What every segment rests on in that list; ``{threads}`` is the number of threads."""
    refused_params: frozenset[str] = frozenset()
    """Keys of that list that would break segments, besides the pinned ones."""
    at_once: int = 64
    """Segments that may be encoded at a time: drivers limit that of encoders in hardware."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Options that take one of a few words which libav itself does not list."""


_LISTS = ("quality", "presets", "known_params", "refused_params")
_HARDWARE = (("h264", "", ""), ("hevc", "hvc1", "p010le"), ("av1", "", "p010le"))
"""What encoders in hardware make, each kind with its tag and its format of 10 bits."""


def _tabled() -> Iterator[Codec]:
    with Path(__file__).with_name("codecs.toml").open("rb") as file:
        table = tomllib.load(file)
    for name, row in table["software"].items():
        yield _codec(row, name=name)
    for suffix, row in table["hardware"].items():
        for kind, tag, deep in _HARDWARE:
            name = f"{kind}_{suffix}"
            yield _codec(row, name=name, encoder=name, tag=tag, deep_format=deep, at_once=2)


def _codec(row: Mapping[str, Any], **beside: Any) -> Codec:
    lists = {key: row[key].split() for key in _LISTS if key in row}
    words = {key: text.split() for key, text in row.get("words", {}).items()}
    return msgspec.convert({**row, **lists, "words": words, **beside}, Codec)


CODECS = tuple(_tabled())
"""Every codec, software first."""

_ALIASES = {"h265": "hevc", "x265": "hevc", "x264": "h264", "avc": "h264", "svtav1": "av1"}


def resolve(codec: str) -> Codec:
    """The codec, or encoder, of that name. Raises SettingsError, naming the nearest one."""
    codec = _ALIASES.get(codec, codec)
    for known in CODECS:
        if codec in (known.name, known.encoder):
            return known
    names = {name for known in CODECS for name in (known.name, known.encoder)}
    raise SettingsError(unknown(f"codec {codec!r}", codec, names), "codec")
