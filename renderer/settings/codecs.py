"""What zoomtui knows of each encoder: a table, and looking it up by name.

Every segment is encoded by a fresh encoder, must decode behind the header of the first one, and
must come out byte for byte the same each time it is made; ``pinned`` options are those that this
rests on. Loads no encoder: one that is known here may fail to open on this machine
(``encode.probe``).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from renderer.errors import SettingsError
from renderer.settings.option import unknown


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


_PARAMS = tomllib.loads(Path(__file__).with_name("encoder_params.toml").read_text("utf-8"))
_SPEEDS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
    "placebo",
)  # fmt: skip
_X264_TUNES = (
    "film", "animation", "grain", "stillimage", "psnr", "ssim", "fastdecode", "zerolatency",
)  # fmt: skip
_X265_TUNES = ("psnr", "ssim", "grain", "zerolatency", "fastdecode", "animation")
_KEYFRAME_PARAMS = {"keyint", "min-keyint", "scenecut", "intra-refresh", "open-gop"}
_COLOUR_PARAMS = {"colorprim", "transfer", "colormatrix", "range", "fullrange", "input-csp"}
_PASS_PARAMS = {"pass", "stats"}

H264 = Codec(
    name="h264",
    encoder="libx264",
    deep_format="yuv420p10le",
    crf=18,
    preset="medium",
    presets=_SPEEDS,
    # Headers in every segment and none that depend on the quality: any segment follows any other.
    pinned={"sc_threshold": "0"},
    params="x264-params",
    known_params=frozenset(_PARAMS["x264"].split()),
    pinned_params={"stitchable": "1", "repeat-headers": "1"},
    refused_params=frozenset(
        _KEYFRAME_PARAMS
        | _COLOUR_PARAMS
        | _PASS_PARAMS
        | {"threads", "sliced-threads", "lookahead-threads", "sync-lookahead", "deterministic"}
        | {"asm", "annexb", "output-csp"}
    ),
    words={
        "tune": _X264_TUNES,
        "profile": ("baseline", "main", "high", "high10", "high422", "high444"),
    },
)
HEVC = Codec(
    name="hevc",
    encoder="libx265",
    deep_format="yuv420p10le",
    tag="hvc1",  # QuickTime refuses libav's default, hev1
    crf=20,
    preset="medium",
    presets=_SPEEDS,
    params="x265-params",
    known_params=frozenset(_PARAMS["x265"].split()),
    # info: the header would hold all settings; frame-threads and pools: as many threads as asked.
    pinned_params={
        "log-level": "none",
        "info": "0",
        "open-gop": "0",
        "scenecut": "0",
        "pools": "{threads}",
        "frame-threads": "1",
    },
    refused_params=frozenset(
        _KEYFRAME_PARAMS
        | _COLOUR_PARAMS
        | _PASS_PARAMS
        | {"numa-pools", "asm", "annexb", "output-depth", "hist-scenecut", "repeat-headers"}
    ),
    words={"tune": _X265_TUNES},
)
AV1 = Codec(
    name="av1",
    encoder="libsvtav1",
    deep_format="yuv420p10le",
    crf=28,
    crf_range=(1, 63),  # libav takes 0 for "not given"
    preset="8",
    presets=tuple(str(number) for number in range(14)),
    params="svtav1-params",
    known_params=frozenset(_PARAMS["svtav1"].split()),
    pinned_params={"lp": "{threads}"},
    refused_params=frozenset(
        _PASS_PARAMS
        | {"keyint", "irefresh-type", "scd", "force-key-frames", "pin", "input-depth"}
        | {"color-primaries", "transfer-characteristics", "matrix-coefficients", "color-range"}
    ),
)
VP9 = Codec(
    name="vp9",
    encoder="libvpx-vp9",
    crf=28,
    crf_range=(0, 63),
    preset="4",
    presets=tuple(str(number) for number in range(9)),
    preset_option="cpu-used",
    defaults={"b": "0", "deadline": "good"},
    pinned={"row-mt": "1"},
)
_NVENC = Codec(
    name="",
    encoder="",
    crf=19,
    crf_range=(1, 51),
    quality=("cq",),
    preset="p5",
    presets=("p1", "p2", "p3", "p4", "p5", "p6", "p7"),
    defaults={"rc": "vbr", "b": "0"},
    pinned={"no-scenecut": "1"},
)
_QSV = Codec(
    name="",
    encoder="",
    pixel_format="nv12",
    crf=20,
    crf_range=(1, 51),
    quality=("global_quality",),
    preset="medium",
    presets=("veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"),
)
_AMF = Codec(
    name="",
    encoder="",
    pixel_format="nv12",
    crf=20,
    quality=("qp_i", "qp_p"),
    preset="quality",
    presets=("speed", "balanced", "quality"),
    preset_option="quality",
    defaults={"rc": "cqp"},
)
_HARDWARE = tuple(
    replace(
        family,
        name=f"{kind}_{suffix}",
        encoder=f"{kind}_{suffix}",
        tag=tag,
        deep_format=deep,
        at_once=2,
    )
    for suffix, family in (("nvenc", _NVENC), ("qsv", _QSV), ("amf", _AMF))
    for kind, tag, deep in (("h264", "", ""), ("hevc", "hvc1", "p010le"), ("av1", "", "p010le"))
)
CODECS = (H264, HEVC, AV1, VP9, *_HARDWARE)
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
