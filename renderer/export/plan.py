"""From what is asked to what will be done: everything that can be refused is refused here.

Reads the sound's beginning and tries the encoder; writes nothing. Knows no project.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from renderer.errors import ProjectError, SettingsError, blaming
from renderer.export.audio import Soundtrack
from renderer.export.containers import Kind, Target, choose_codec
from renderer.export.frames import FrameSource
from renderer.export.source import Footage
from renderer.export.timeline import Timeline
from renderer.export.view_path import ViewPath
from renderer.film.camera import Camera
from renderer.film.encode import Encoding, probe
from renderer.formatting import size_text
from renderer.project.thinning import spans
from renderer.settings.codecs import Codec, resolve
from renderer.settings.export import Direction, ExportOptions
from renderer.settings.focus import CENTRE
from renderer.settings.plain_values import Size

_SOFT = 1.001
"""Enlargement that can't be seen."""
_GIF_CLOCK = 100
"""A GIF counts in hundredths of a second."""
_GIF_FASTEST = 50
"""Frames a second; browsers slow down what is faster."""
_BYTES_A_PIXEL = {"gif": 1.0, "apng": 2.0, "webp": 0.4}
"""Measured on zooms of natural pictures; a rough guide."""
_RATE = {"b", "qp", "lossless"}
"""The film's own encoder options that give way to a quality asked for."""
_ANIMATION_SECONDS, _ANIMATION_BYTES = 120, 500 * 2**20
"""An animation longer or larger than that is more likely a mistake than a wish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be made, settled."""

    target: Target
    take: FrameSource
    encoding: Encoding | None
    """None: nothing is encoded as film: the film is copied, or none is made."""
    copies: bool
    """The film's own packets are used as they are."""
    frames: int
    tag: str
    """Sample entry in the file; empty: libav's own choice."""
    fps: Fraction
    sound: Soundtrack | None
    poster: int | None
    """The frame that becomes the cover."""
    notes: tuple[str, ...]
    """Worth telling before it begins."""
    force: bool
    """What is there may be written over."""

    @property
    def seconds(self) -> float:
        return float(self.frames / self.fps)


def make_plan(footage: Footage, target: Target, options: ExportOptions) -> Plan:
    """Settle everything. Raises SettingsError, ProjectError, EncoderError, StorageError."""
    if footage.depth < 1:
        raise ProjectError(
            f"{footage.film.parent} has no two keyframes yet, so there is nothing to export; "
            f"`zoomtui resume {footage.film.parent}` paints them"
        )
    kind = target.container.kind
    settings = footage.settings
    options = replace(options, direction=_along_the_chain(options, footage))
    fps = _fps(target, options, settings.fps)
    size = _size(footage, options, kind)
    timeline = Timeline.of(options, footage.depth, fps, footage.seconds_per_keyframe)
    camera = replace(Camera.of(settings), film_size=size)
    ways = camera.ways(footage.canvas_size, footage.canvases)
    view_path = ViewPath(camera, footage.depth, options.focus, tuple(ways))
    codec = _codec(footage, target, options)
    bits = _bits(footage, options, codec)
    take = FrameSource(footage, timeline, view_path, size, kind is not Kind.FILM, bits)
    copies = codec is not None and _can_copy(footage, options, codec, size)
    frames = footage.film_frames if copies else timeline.frames
    target.check(force=options.force, frames=frames)
    if kind is Kind.ANIMATION:
        _check_animation(target, take, options)
    encoding = None
    if not copies:
        _check_canvases(footage)
    if codec is not None and not copies:
        encoding = _encoding(footage, options, codec, size, fps, bits)
        probe(encoding)
    return Plan(
        target=target,
        take=take,
        encoding=encoding,
        copies=copies,
        frames=frames,
        tag=codec.tag if codec is not None and target.container.quicktime else "",
        fps=fps,
        sound=_sound(target, options),
        poster=_poster(target, options, frames, fps),
        notes=tuple(_notes(footage, options, camera, view_path)),
        force=options.force,
    )


def _along_the_chain(options: ExportOptions, footage: Footage) -> Direction | None:
    """The direction seen from a chain that begins with its first keyframe; None: along it.

    Raises SettingsError for a focus, which a dive has already.
    """
    dives = [canvas.dives_to is not None for canvas in footage.canvases]
    if any(dives) and options.focus != CENTRE:
        raise SettingsError("this film dives, and where to is settled; leave --focus out", "focus")
    direction = _TURNED[options.direction] if options.direction and dives[0] else options.direction
    return None if direction == "out" else direction


_TURNED: Mapping[Direction, Direction] = {
    "out": "in",
    "in": "out",
    "in-out": "out-in",
    "out-in": "in-out",
}


def _fps(target: Target, options: ExportOptions, own: Fraction) -> Fraction:
    if target.container.muxer != "gif":
        return options.fps or own
    wanted = options.fps or min(own, Fraction(_GIF_FASTEST))
    delay = math.ceil(_GIF_CLOCK / wanted)
    fps = Fraction(_GIF_CLOCK, delay)
    if options.fps is not None and abs(fps - options.fps) > Fraction(1, 2):
        other = Fraction(_GIF_CLOCK, delay - 1) if delay > 1 else fps
        raise SettingsError(
            f"a GIF counts in hundredths of a second, so it can't have {options.fps} frames a "
            f"second; use --fps {float(fps):.4g} or {float(other):.4g}",
            "fps",
        )
    return fps


def _size(footage: Footage, options: ExportOptions, kind: Kind) -> Size:
    """The frame size; one larger than what was painted only where that is wished for."""
    settings = footage.settings
    if options.size is None or options.size == settings.size:
        return settings.size
    width, height = options.size
    even = (width + width % 2, height + height % 2)
    replace(settings, size=options.size if kind is Kind.FILM else even)  # or SettingsError
    own = Camera.of(settings).enlargement
    camera = Camera(options.size, settings.keyframe_size, settings.zoom_factor)
    if camera.enlargement > max(own, _SOFT) and not options.upscale:
        scale = 2 * camera.enlargement / max(own, 1.0)
        least = 2 * int(width / scale), 2 * int(height / scale)
        raise SettingsError(
            f"size {width}x{height} is {camera.enlargement:.3g} times what is painted "
            f"({settings.keyframe_size[0]}x{settings.keyframe_size[1]}), so it would only be "
            f"softer; use --size {least[0]}x{least[1]}, or --upscale lanczos",
            "size",
        )
    return options.size


def _codec(footage: Footage, target: Target, options: ExportOptions) -> Codec | None:
    if target.container.kind is Kind.FILM:
        return choose_codec(target.container, options.codec, footage.settings.codec)
    if options.codec is not None or options.encodes:
        raise SettingsError(
            f"codec, crf, preset, bit depth and encoder options are for films; {target.path} is "
            "none",
            "codec",
        )
    return None


def _check_canvases(footage: Footage) -> None:
    missing = [i for i, canvas in enumerate(footage.canvases, 1) if not canvas.path.exists()]
    if missing:
        one = len(missing) == 1
        lost = "picture of keyframe" if one else "pictures of keyframes"
        raise ProjectError(
            f"the {lost} {spans(missing)} {'is' if one else 'are'} not there, so the film can't be "
            "made again; it can be copied as it is, without other options"
        )


def _bits(footage: Footage, options: ExportOptions, codec: Codec | None) -> int:
    """As asked, else as the film has, where the codec can."""
    if codec is None:
        return 8
    own = footage.settings.bit_depth if codec.deep_format else 8
    return own if options.bit_depth is None else options.bit_depth


def _can_copy(footage: Footage, options: ExportOptions, codec: Codec, size: Size) -> bool:
    """The film's packets are just what is asked for."""
    settings = footage.settings
    return (
        footage.film_frames > 0
        and options.times_as_film
        and options.focus == CENTRE
        and not options.encodes
        and size == settings.size
        and codec is resolve(settings.codec)
    )


def _encoding(
    footage: Footage, options: ExportOptions, codec: Codec, size: Size, fps: Fraction, bits: int
) -> Encoding:
    """As the film is encoded, but for what is asked; one thread, since chunks run side by side."""
    settings = footage.settings
    same = codec is resolve(settings.codec)
    crf, preset = (settings.crf, settings.preset) if same else (None, "")
    extra = dict(settings.encoder_options) if same else {}
    if options.crf is not None:
        extra = {key: value for key, value in extra.items() if key not in _RATE}
    changed = replace(
        settings,
        size=size,
        fps=fps,
        codec=codec.name,
        crf=options.crf if options.crf is not None else crf,
        preset=options.preset if options.preset is not None else preset,
        encoder_options={**extra, **options.encoder_options},
        bit_depth=bits,
        threads=1,
    )
    return Encoding.of(changed)


def _check_animation(target: Target, take: FrameSource, options: ExportOptions) -> None:
    timeline = take.timeline
    pixels = take.size[0] * take.size[1] * timeline.frames
    about = pixels * _BYTES_A_PIXEL[target.container.muxer]
    if options.force or (timeline.seconds <= _ANIMATION_SECONDS and about <= _ANIMATION_BYTES):
        return
    raise SettingsError(
        f"{target.path.name} would be an animation of {float(timeline.seconds):.0f} seconds and "
        f"about {size_text(about)}; export a film (.mp4), make it shorter or smaller "
        f"(--duration, --fps, --size), or --force it",
        "out",
    )


def _sound(target: Target, options: ExportOptions) -> Soundtrack | None:
    if options.audio is None:
        return None
    if not target.container.audio:
        raise SettingsError(
            f"{target.path.name} can't hold sound; export an .mp4, .mkv or .webm", "audio"
        )
    sound = Soundtrack(
        options.audio, options.audio_fade_in, options.audio_fade_out, target.container.audio
    )
    with blaming("audio"):
        sound.check()
    return sound


def _poster(target: Target, options: ExportOptions, frames: int, fps: Fraction) -> int | None:
    if options.poster is None:
        return None
    if not target.container.cover:
        raise SettingsError(
            f"{target.path.name} can't hold a poster; export an .mp4 or .mkv", "poster"
        )
    frame = math.floor(options.poster * fps)
    if frame >= frames:
        raise SettingsError(
            f"poster {options.poster:g} s is beyond the end of the film, "
            f"which is {float(frames / fps):.3g} s long",
            "poster",
        )
    return frame


def _notes(
    footage: Footage, options: ExportOptions, camera: Camera, view_path: ViewPath
) -> Iterator[str]:
    if options.upscale and camera.enlargement > _SOFT:
        yield (
            f"the film is {camera.enlargement:.3g} times larger than what was painted, so it will "
            f"look soft"
        )
    if view_path.sharpness < 1:
        yield (
            f"about that focus, frames use as little as {view_path.sharpness:.0%} of a keyframe's "
            f"width, so they are softer than about the middle"
        )
