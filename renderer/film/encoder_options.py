"""The options that a film's settings give its encoder.

Those that the segments rest on are pinned; the user's own are added to them, and refused, with the
reason, where they contradict them. Text in, text out: loads no encoder.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from renderer.errors import SettingsError
from renderer.settings.codecs import Codec, resolve
from renderer.settings.option import unknown
from renderer.settings.render import RenderSettings

GOP = 1 << 24
"""Frames; longer than any interval, and constant because headers may record it."""

_REFUSED = {
    option: reason
    for reason, options in {
        "use the setting crf": "crf",
        "use the setting preset": "preset speed",
        "use the setting threads": "threads",
        "use the setting bit_depth": "pix_fmt",
        "use the setting fps": "time_base",
        "use x264-params": "x264opts",
        "the film's bytes depend on it": "thread_type",
        "the container is fixed": "movflags",
        "it names a file": "x265-stats passlogfile",
        "segments are encoded in one pass": "pass stats",
        "the library behind the encoder takes anything there": "qsv_params",
        "every interval is one closed GOP": "g keyint_min sc_threshold forced-idr "
        "intra-refresh flags",
        "the film is 4:2:0 in BT.709": "color_range colorspace color_primaries color_trc "
        "chroma_sample_location",
    }.items()
    for option in options.split()
}
"""Option → why it can't be given."""
_RATE = {"b", "qp", "lossless"}
"""Options that themselves set how many bits are spent: the default quality is then left out."""


def encoder_options(settings: RenderSettings) -> dict[str, str]:
    """All options for the encoder, by name. Raises SettingsError for what can't be used."""
    codec = resolve(settings.codec)
    chosen = dict(settings.encoder_options)
    _refuse(codec, chosen)
    if settings.bit_depth > 8 and not codec.deep_format:
        raise SettingsError(
            f"{codec.encoder} has 8 bits only; for {settings.bit_depth} take h264, hevc or av1",
            "bit_depth",
        )
    options = {**codec.defaults, **chosen, **codec.pinned}
    options |= {"g": str(GOP), "threads": str(settings.threads), "chroma_sample_location": "left"}
    options[codec.preset_option] = _preset(codec, settings.preset)
    options |= _quality(codec, settings.crf, chosen)
    if codec.params:
        options[codec.params] = _params(codec, chosen.get(codec.params, ""), settings.threads)
    return dict(sorted(options.items()))


def _refuse(codec: Codec, chosen: Mapping[str, str]) -> None:
    own = {codec.preset_option: "use the setting preset"}
    own |= dict.fromkeys(codec.quality, "use the setting crf")
    own |= dict.fromkeys(codec.pinned, "every segment rests on its value")
    for key, value in chosen.items():
        reason = (own | _REFUSED).get(key)
        if reason:
            raise SettingsError(
                f"encoder option {key}={value} can't be used: {reason}", "encoder_options"
            )
        words = codec.words.get(key)
        if words and value not in words:
            raise SettingsError(
                unknown(f"{key} {value!r} of {codec.encoder}", value, set(words)), "encoder_options"
            )


def _preset(codec: Codec, preset: str) -> str:
    if not preset:
        return codec.preset
    if preset not in codec.presets:
        what = f"preset {preset!r} of {codec.encoder}"
        raise SettingsError(unknown(what, preset, set(codec.presets)), "preset")
    return preset


def _quality(codec: Codec, crf: int | None, chosen: Mapping[str, str]) -> dict[str, str]:
    rate = _RATE & chosen.keys()
    if rate and crf is not None:
        raise SettingsError(
            f"crf {crf} and encoder option {min(rate)} both set the quality; leave one of them out",
            "crf",
        )
    if rate:
        return {}
    best, worst = codec.crf_range
    if crf is not None and not best <= crf <= worst:
        raise SettingsError(f"crf of {codec.encoder} must be {best} to {worst}, not {crf}", "crf")
    return dict.fromkeys(codec.quality, str(codec.crf if crf is None else crf))


def _params(codec: Codec, text: str, threads: int) -> str:
    """The user's ``key=value:key=value`` list with the pinned ones added."""
    pinned = {key: value.format(threads=threads) for key, value in codec.pinned_params.items()}
    if codec.encoder == "libx264":
        pinned |= _x264_asm()
    params = {}
    for part in filter(None, text.split(":")):
        key, _, value = part.partition("=")
        key = key.replace("_", "-")
        if key in codec.refused_params or pinned.get(key, value) != value:
            raise SettingsError(
                f"encoder option {codec.params}: {part} can't be used: "
                f"every segment rests on zoomtui's own value",
                "encoder_options",
            )
        if key not in codec.known_params | pinned.keys():
            raise SettingsError(
                unknown(f"{codec.params} {key!r}", key, set(codec.known_params)), "encoder_options"
            )
        params[key] = value
    return ":".join(f"{key}={value}" if value else key for key, value in (params | pinned).items())


@cache
def _x264_asm() -> dict[str, str]:
    """Keeps x264 off AVX-512, where its macroblock tree depends on memory that was never written.

    The same frames then give other bytes now and then (x264 core 165, 160x96 and 320x192, even with
    one thread); up to AVX2 they are always those of its plain C code, whatever the machine.
    """
    try:
        has_avx512 = "avx512f" in Path("/proc/cpuinfo").read_text(
            encoding="ascii", errors="replace"
        )
    except OSError:
        return {}
    return {"asm": "AVX2"} if has_avx512 else {}
