"""What the form says about a render to be: size, pace, disk, memory of the GPU.

The pace comes from earlier renders on this machine with the same painter on the same canvas; where
there are none, it is not guessed. ``look_around`` and ``survey`` ask files and the driver (for a
thread of their own); the rest is arithmetic.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from renderer.errors import RendererError
from renderer.formatting import clean, duration_text, size_text
from renderer.planning.estimate import Estimate, enlarged
from renderer.project import registry
from renderer.project.records import read_history, read_settings
from renderer.settings.plain_values import dimensions
from renderer.settings.presets import ModelPreset, find_preset
from renderer.settings.render import OPTIONS, RenderSettings
from zoomtui.tui.shared.styled_text import NOT_AVAILABLE, Line, Part, cut, folded, labelled

_RENDERS = 50
"""So many of the newest renders are looked through for the pace."""
_KEYFRAMES = 10
"""So many of a render's last keyframes say how long one takes."""
_GIB = 1 << 30

Likeness = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a keyframe took in earlier renders like this one, in the mean."""

    seconds: float
    renders: int


@dataclass(frozen=True, slots=True)
class Gpu:
    """The first GPU."""

    name: str
    free: int | None
    """Bytes of its memory; None: it doesn't tell."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What this machine says, whatever the plan is."""

    history: tuple[tuple[Likeness, float], ...] = ()
    """What earlier renders were like, and seconds that a keyframe took in them."""
    gpu: Gpu | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What this machine says about a render."""

    estimate: Estimate
    pace: Pace | None
    gpu: Gpu | None


def look_around() -> Surroundings:
    """Ask the journals of earlier renders, and the driver. Blocking; never raises."""
    return Surroundings(tuple(_history()), first_gpu())


def survey(folder: Path, settings: RenderSettings, surroundings: Surroundings) -> Survey:
    """What a render at ``folder`` comes to. Asks the disk for its free room: blocking."""
    wanted = likeness(settings)
    times = [seconds for like, seconds in surroundings.history if like == wanted]
    pace = Pace(sum(times) / len(times), len(times)) if times else None
    return Survey(Estimate.of(folder, settings), pace, surroundings.gpu)


def likeness(settings: RenderSettings) -> Likeness:
    """Renders that are equal in this take equally long for a keyframe."""
    model = find_preset(settings.model)
    weights = (model.repo or model.name) if model else settings.model
    return tuple(
        weights if name == "model" else getattr(settings, name)
        for name, option in OPTIONS.items()
        if option.slows and option.concerns(settings.painter)
    )


def _history() -> Iterator[tuple[Likeness, float]]:
    with contextlib.suppress(RendererError, OSError):
        for folder in registry.known()[:_RENDERS]:
            with contextlib.suppress(RendererError, OSError, ValueError, KeyError, TypeError):
                yield from _paces(folder)


def _paces(folder: Path) -> Iterator[tuple[Likeness, float]]:
    """What one render was like, and its pace, if it has painted anything."""
    history = read_history(folder)
    # The first one is made differently, and one that was not painted took no time.
    keyframes = [each for each in history.keyframes if each.keyframe and each.seconds > 0]
    if keyframes := keyframes[-_KEYFRAMES:]:
        now = history.settings_at(read_settings(folder), keyframes[-1].keyframe)
        yield likeness(now), sum(stored.seconds for stored in keyframes) / len(keyframes)


def first_gpu() -> Gpu | None:
    """What the driver says of the first GPU; None without an NVIDIA driver."""
    import pynvml

    from renderer.service.metrics import Metrics

    with contextlib.suppress(pynvml.NVMLError):
        meters = Metrics(Path("/")).read()
        name, used, total = (meters[key] for key in ("gpu_name", "vram_used", "vram_total"))
        if not isinstance(name, str):
            return None
        if isinstance(used, float) and isinstance(total, float):
            return Gpu(name, int(total - used))
        return Gpu(name, None)
    return None


def needed_memory(settings: RenderSettings) -> int | None:
    """Bytes of GPU memory that painting takes; 0: none; None: not known of this model."""
    if settings.painter == "texture":
        return 0
    preset = _preset(settings)
    figure = re.search(r"([\d.]+) GB", preset.vram) if preset else None
    return round(float(figure[1]) * _GIB) if figure else None


def _preset(settings: RenderSettings) -> ModelPreset | None:
    return find_preset(settings.model) if settings.painter == "diffusion" else None


def forecast_lines(survey: Survey, width: int) -> list[Line]:
    """The whole of it, for a pane."""
    settings = survey.estimate.settings
    film = f"{dimensions(settings.size)}, {float(settings.fps):.6g} frames/s"
    painted, canvas = (
        dimensions(each) for each in (settings.keyframe_size, survey.estimate.canvas)
    )
    (sign, role), needs = _needs(survey)
    lines = [
        labelled("GPU", [_gpu(survey.gpu)]),
        labelled("needs", [(f"{sign} {needs}".strip(), role)]),
        labelled("film", [(film, "")]),
        labelled("painted", [(f"{painted}, canvas {canvas}{enlarged(settings)}", "")]),
        labelled("length", [(_length(survey), "")]),
        *_speed_lines(survey),
        labelled("disk", [(_disk(survey), "")]),
        labelled("", [_lasts(survey)]),
    ]
    return [row for line in lines for row in folded(line, width)]


def brief_lines(survey: Survey, width: int) -> list[Line]:
    """The same on three lines, for a short screen."""
    sign, needs = _needs(survey)
    pace, settings = survey.pace, survey.estimate.settings
    each = "pace not known yet" if pace is None else f"≈ {duration_text(pace.seconds)} a keyframe"
    film = f"{dimensions(settings.size)}, {_length(survey)}"
    lines: list[Line] = [
        ((film, ""), ("   ", ""), sign, (f" {needs}", "")),
        ((each, ""), ("   ", ""), (" · ".join(_rates(survey)), "")),
        ((f"{_disk(survey)}; {_lasts(survey)[0]}", ""),),
    ]
    return [cut(line, width) for line in lines]


def _gpu(gpu: Gpu | None) -> Part:
    if gpu is None:
        return NOT_AVAILABLE, "faint"
    free = NOT_AVAILABLE if gpu.free is None else size_text(gpu.free)
    return f"{clean(gpu.name)}, {free} free", ""


def _needs(survey: Survey) -> tuple[Part, str]:
    """Sign and words for whether the painter fits the GPU."""
    settings, gpu = survey.estimate.settings, survey.gpu
    needed = needed_memory(settings)
    if needed == 0:
        return ("✔", "good"), "no GPU needed"
    if needed is None:
        return ("", ""), f"GPU memory {NOT_AVAILABLE}"
    about = f"about {size_text(needed)} of GPU memory"
    if gpu is None:
        preset = _preset(settings)
        if preset is not None and preset.on_cpu:
            return ("✔", "good"), "no GPU needed: it paints in seconds on a CPU"
        return ("!", "warn"), f"{about}; without a GPU it is slow"
    if gpu.free is None:
        return ("", ""), f"{about}; what is free: {NOT_AVAILABLE}"
    return (("✔", "good"), f"{about}, fits") if gpu.free >= needed else (
        ("✗", "bad"), f"{about}: too little is free")  # fmt: skip


def _length(survey: Survey) -> str:
    estimate = survey.estimate
    if estimate.seconds is None:
        return "until stopped"
    return f"{estimate.settings.keyframes} keyframes, {duration_text(estimate.seconds)} of film"


def _speed_lines(survey: Survey) -> list[Line]:
    pace = survey.pace
    if pace is None:
        return [labelled("keyframe", [("not known before the first one", "faint")])]
    seen = f"from {pace.renders} earlier render{'s'[: pace.renders != 1]}"
    lines = [
        labelled("keyframe", [(f"≈ {duration_text(pace.seconds)}", ""), (seen, "faint")]),
        labelled("speed", [(" · ".join(_rates(survey)), "")]),
    ]
    keyframes = survey.estimate.settings.keyframes
    if keyframes is not None:
        lines.append(labelled("takes", [(f"≈ {duration_text(keyframes * pace.seconds)}", "")]))
    return lines


def _rates(survey: Survey) -> list[str]:
    """How fast film is made, as far as painting sets the pace."""
    factor = _real_time_factor(survey)
    if factor is None:
        return []
    return [f"{factor:.2g}× real time", f"{duration_text(3600 * factor)} of film an hour"]


def _real_time_factor(survey: Survey) -> float | None:
    """Seconds of film a second of painting."""
    if survey.pace is None:
        return None
    settings = survey.estimate.settings
    return float(settings.frames_per_keyframe / settings.fps) / survey.pace.seconds


def _disk(survey: Survey) -> str:
    estimate, factor = survey.estimate, _real_time_factor(survey)
    an_hour = f"{size_text(estimate.disk_per_hour)} an hour of film"
    if estimate.disk is not None:
        return f"≈ {size_text(estimate.disk)} in all"
    if factor is None:
        return f"≈ {an_hour}"
    return f"≈ {size_text(estimate.disk_per_hour * factor)} an hour, {an_hour}"


def _lasts(survey: Survey) -> Part:
    """The free disk, and whether it is enough, or for how long."""
    estimate, factor = survey.estimate, _real_time_factor(survey)
    if estimate.free is None:
        return f"free: {NOT_AVAILABLE}", ""
    free = f"{size_text(estimate.free)} free"
    if estimate.disk is not None:
        enough = estimate.disk <= estimate.free
        return (free, "") if enough else (f"{free}, which is too little", "bad")
    film = 3600 * estimate.free / estimate.disk_per_hour
    if factor is None:
        return f"{free}: {duration_text(film)} of film", ""
    return f"{free}: lasts {duration_text(film / factor)}", ""
