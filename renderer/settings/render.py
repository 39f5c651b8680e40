"""RenderSettings: everything that decides a film, checked once, and its TOML form.

Frozen and fully resolved: nothing here is "default" or "automatic" any more (those are filled in by
``planning.defaults``). Knows no files but its own TOML text, no models and no threads.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from fractions import Fraction
from typing import Any, Literal, get_args

import tomli_w

from renderer.errors import ProjectError, SettingsError
from renderer.settings.plain_values import Size, from_plain, is_text, to_plain

SCHEMA = 1
"""Version of project.toml; a newer one is refused."""

Method = Literal["direct", "sequential"]
Speed = Literal["quality", "balanced", "fast"]
Direction = Literal["out", "in"]

MIN_SIDE, MAX_SIDE = 64, 8192
MAX_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSettings:
    """One film. Raises SettingsError, naming the field, when a value can't be used."""

    # what is painted
    prompt: str = ""
    """What to paint. Kept exactly as typed."""
    negative_prompt: str = ""
    """What to keep out of the picture."""
    painter: str = "texture"
    """``texture``, ``diffusion``, a registered name, or ``module:factory``."""
    model: str = ""
    """Hub id, alias or folder of the model; empty where the painter has none."""
    exemplar: str = ""
    """Picture that the texture painter grows from: a path, relative to the project; empty: the
    star field that ships with the package."""
    steps: int = 25
    """Denoising steps a call."""
    guidance_scale: float = 7.5
    """Weight of the prompt (classifier-free guidance)."""
    strength: float = 1.0
    """How much of the masked area is noised anew, in (0, 1]."""
    scheduler: str = ""
    """Name of the sampler; empty: the model's own."""
    trust_pickled_weights: bool = False
    """Open model files that may run code; else only safetensors."""
    loras: tuple[str, ...] = ()
    """LoRA files that change the model, each ``FILE[:WEIGHT]``."""
    speed: Speed = "quality"
    """What the painter trades for speed; see ``speed_levels.py``."""
    seed: int = 0
    """Root of every random choice, 0 … 2**63 - 1."""
    method: Method = "direct"
    """``direct``: all four sides in one call; ``sequential``: left, top, right, bottom."""
    candidates: int = 1
    """Versions that are painted of each border; the one with the best seam and drift is kept (see
    ``painting/candidate_cost.py``). The first picture has no border, so it is painted once."""
    prompt_blend: int = 0
    """Keyframes that a new prompt takes to replace the one before it; 0: it does so at once."""

    # how a border is joined to the picture that it surrounds
    overmask: int = 0
    """Pixels inside the picture's edge that the painter paints anew too, to find a better join;
    what was there is kept all the same. In whole cells of latents, and at most half the picture."""
    feather: int = 48
    """Pixels of border over which what differs at the join fades away; 0: it stays."""
    colour_fit: bool = True
    """Undo the change of colours that the painter made to what was known."""
    drift_guard: float = 0.15
    """Share by which each border is pulled back where colours left keyframe 0's too far; 0: off."""
    seam_pass: float = 0.0
    """Strength at which a thin band along the join is painted once more; 0: not."""

    # the chain of keyframes
    keyframe_size: Size = (512, 512)
    """The picture P that is outpainted, before its border is added."""
    size_multiple: int = 8
    """Sides of P and of every canvas are multiples of this (the model's need)."""
    zoom_factor: float = 1.5
    """ρ: how much wider the view gets from one keyframe to the next; > 1."""
    keyframes: int | None = None
    """Pictures in all, the first included; None: until stopped."""

    # the film
    size: Size = (512, 512)
    """Frame size; both sides even."""
    fps: Fraction = Fraction(30)
    """Frames a second, exact (24000/1001 is a value like any other)."""
    frames_per_keyframe: int = 60
    """Frames of one interval."""
    codec: str = "h264"
    """``h264``, ``hevc``, ``av1``, ``vp9``, or the name of an encoder."""
    crf: int | None = None
    """Constant quality; None: the codec's own default here."""
    preset: str = ""
    """The encoder's speed preset; empty: the codec's own default here."""
    encoder_options: Mapping[str, str] = field(default_factory=dict)
    """More options for the encoder, passed on as they are."""
    threads: int = 2
    """Encoder threads: part of the settings, because x264's bytes depend on it."""
    direction: Direction = "out"
    """``in``: when the last keyframe is painted, the film zooming in is made as well, as
    ``exports/in.mp4``; the film that grows meanwhile zooms out all the same."""

    def __post_init__(self) -> None:
        for check in _CHECKS:
            check(self)

    def to_toml(self) -> str:
        """The text of project.toml. ``from_toml`` gives an equal value back."""
        values: dict[str, Any] = {"schema": SCHEMA}
        for key, value in asdict(self).items():
            values[key] = to_plain(key, value)
        return tomli_w.dumps(values)

    @classmethod
    def from_toml(cls, text: str, where: str = "project.toml") -> RenderSettings:
        """Read ``to_toml``'s text.

        Raises ProjectError for text that is no TOML or is from a newer zoomtui, and SettingsError
        for an unknown key (the nearest right one is named) or a value that can't be used.
        """
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ProjectError(f"{where} is not valid TOML: {error}") from None
        schema = values.pop("schema", None)
        if not isinstance(schema, int):
            raise ProjectError(f"{where} has no schema number: it is no zoomtui project")
        if schema > SCHEMA:
            raise ProjectError(
                f"{where} was written by a newer zoomtui (schema {schema}, this one knows "
                f"{SCHEMA}); upgrade zoomtui to open it"
            )
        return cls().changed(values, where)

    def changed(self, values: Mapping[str, Any], where: str = "") -> RenderSettings:
        """A copy with plain values (as TOML or JSON hold them) put in place of the named fields."""
        known = {f.name for f in fields(self)}
        prefix = f"{where}: " if where else ""
        typed = {}
        for key, value in values.items():
            if key not in known:
                raise SettingsError(prefix + unknown(f"key {key!r}", key, known))
            try:
                typed[key] = from_plain(key, value, like=getattr(_DEFAULTS, key))
            except (TypeError, ValueError, ArithmeticError):
                raise SettingsError(f"{prefix}{key} can't be {value!r}") from None
        try:
            return replace(self, **typed)
        except SettingsError as error:
            raise SettingsError(f"{prefix}{error}") from None

    def plain(self) -> dict[str, Any]:
        """Every field as TOML and JSON hold it; ``changed`` takes it back."""
        return {key: to_plain(key, value) for key, value in asdict(self).items()}

    @property
    def film_frames(self) -> int | None:
        """Frames of the finished film: (keyframes - 1) x frames per keyframe + 1."""
        if self.keyframes is None:
            return None
        return (self.keyframes - 1) * self.frames_per_keyframe + 1


def unknown(what: str, name: str, known: set[str]) -> str:
    """One line for a name that does not exist, with the nearest one that does."""
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
    return f"unknown {what}; {hint}"


def _require(ok: bool, message: str) -> None:
    if not ok:
        raise SettingsError(message)


def _check_numbers(s: RenderSettings) -> None:
    _require(s.steps >= 1, f"steps must be at least 1, not {s.steps}")
    _require(
        math.isfinite(s.guidance_scale) and s.guidance_scale >= 0,
        f"guidance_scale must be 0 or more, not {s.guidance_scale:g}",
    )
    _require(0 < s.strength <= 1, f"strength must be above 0 and at most 1, not {s.strength:g}")
    _require(0 <= s.seed <= MAX_SEED, f"seed must be 0 to {MAX_SEED}, not {s.seed}")
    _require(
        s.keyframes is None or s.keyframes >= 2,
        f"keyframes must be at least 2 (the first picture and one around it), not {s.keyframes}",
    )
    _require(
        s.frames_per_keyframe >= 1,
        f"frames_per_keyframe must be at least 1, not {s.frames_per_keyframe}",
    )
    _require(0 < s.fps <= 1000, f"fps must be above 0 and at most 1000, not {s.fps}")
    _require(
        s.fps.numerator < 2**31 and s.fps.denominator < 2**31,
        f"fps {s.fps} can't be written exactly; use a simple fraction such as 30000/1001",
    )
    _require(1 <= s.threads <= 64, f"threads must be 1 to 64, not {s.threads}")
    _require(1 <= s.size_multiple <= 128, f"size_multiple must be 1 to 128, not {s.size_multiple}")
    _require(s.crf is None or 0 <= s.crf <= 63, f"crf must be 0 to 63, not {s.crf}")


def _check_joining(s: RenderSettings) -> None:
    _require(1 <= s.candidates <= 64, f"candidates must be 1 to 64, not {s.candidates}")
    _require(
        0 <= s.prompt_blend <= 10_000,
        f"prompt_blend must be 0 to 10000 keyframes, not {s.prompt_blend}",
    )
    _require(0 <= s.overmask <= 256, f"overmask must be 0 to 256 pixels, not {s.overmask}")
    _require(0 <= s.feather <= 1024, f"feather must be 0 to 1024 pixels, not {s.feather}")
    _require(0 <= s.drift_guard <= 1, f"drift_guard must be 0 to 1, not {s.drift_guard:g}")
    _require(0 <= s.seam_pass <= 1, f"seam_pass must be 0 (off) to 1, not {s.seam_pass:g}")


def _check_names(s: RenderSettings) -> None:
    _require(bool(s.painter), "painter is empty")
    _require(bool(s.codec), "codec is empty")
    if s.method not in get_args(Method):
        raise SettingsError(unknown(f"method {s.method!r}", s.method, set(get_args(Method))))
    if s.speed not in get_args(Speed):
        raise SettingsError(unknown(f"speed {s.speed!r}", s.speed, set(get_args(Speed))))
    if s.direction not in get_args(Direction):
        known = set(get_args(Direction))
        raise SettingsError(unknown(f"direction {s.direction!r}", s.direction, known))


def _check_text(s: RenderSettings) -> None:
    for f in fields(s):
        value = getattr(s, f.name)
        if isinstance(value, str) and not is_text(value):
            raise SettingsError(f"{f.name} is not UTF-8 text: {value!r}; is the locale UTF-8?")


def _check_zoom(s: RenderSettings) -> None:
    _require(
        math.isfinite(s.zoom_factor) and s.zoom_factor > 1,
        f"zoom_factor must be above 1 (1.5 is usual), not {s.zoom_factor:g}",
    )
    _require(s.zoom_factor <= 4, f"zoom_factor {s.zoom_factor:g} is too large; at most 4")


def _check_sizes(s: RenderSettings) -> None:
    for name in ("size", "keyframe_size"):
        width, height = getattr(s, name)
        _require(
            min(width, height) >= MIN_SIDE and max(width, height) <= MAX_SIDE,
            f"{name} {width}x{height} is out of range; each side {MIN_SIDE} to {MAX_SIDE}",
        )
    width, height = s.size
    _require(
        width % 2 == 0 and height % 2 == 0,
        f"size {width}x{height} has an odd side, which yuv420p film can't have; "
        f"use {width + width % 2}x{height + height % 2}",
    )
    width, height = s.keyframe_size
    step = s.size_multiple
    _require(
        width % step == 0 and height % step == 0,
        f"keyframe_size {width}x{height} must be in multiples of {step} for this painter; "
        f"nearest: {nearest_multiple(width, step)}x{nearest_multiple(height, step)}",
    )


def nearest_multiple(value: float, step: int) -> int:
    """The multiple of ``step`` nearest to ``value``, at least one step."""
    return max(step, round(value / step) * step)


_CHECKS = (_check_numbers, _check_joining, _check_names, _check_text, _check_zoom, _check_sizes)
_DEFAULTS = RenderSettings()
