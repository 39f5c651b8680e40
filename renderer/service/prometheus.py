"""Renders as metrics, in Prometheus' text format: for a page's /metrics, and for a file.

The format is that of https://prometheus.io/docs/instrumenting/exposition_formats/ (text, 0.0.4),
which node_exporter's textfile collector reads as well. Pure: knows no socket and no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from renderer.engine.facts import Facts
from renderer.project.status import State

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class _Metric:
    name: str
    kind: Literal["gauge", "counter"]
    help: str
    value: Callable[[Facts], float | None]
    """None: the render has no such value now."""


def _figure(name: str) -> Callable[[Facts], float | None]:
    return lambda render: getattr(render.figures, name) if render.figures else None


_METRICS = (
    _Metric("up", "gauge", "1 while an engine renders the project.", lambda r: r.state.live),
    _Metric("keyframes_total", "counter", "Keyframes of the film.", lambda r: r.keyframes),
    _Metric("keyframes_wanted", "gauge", "Keyframes of the whole film.", lambda r: r.total),
    _Metric("keyframes_bytes", "gauge", "Size of all keyframes.", lambda r: r.keyframes_size),
    _Metric("frames_total", "counter", "Frames of the film.", lambda r: r.frames),
    _Metric("film_seconds", "gauge", "Length of the film.", lambda r: r.seconds),
    _Metric("film_bytes", "gauge", "Size of the film.", lambda r: r.size),
    _Metric("seconds_per_keyframe", "gauge", "Painting time, a mean.", lambda r: r.pace),
    _Metric("left_seconds", "gauge", "Time until the film is finished.", lambda r: r.left),
    _Metric("restarts_total", "counter", "Crashes of this session.", lambda r: r.restarts),
    _Metric("seam_ratio", "gauge", "Gradient across the border; 1: invisible.", _figure("seam")),
    _Metric("drift_levels", "gauge", "Distance from the colour to keep.", _figure("drift")),
    _Metric("residue_levels", "gauge", "Of a dive: error of the keyframe.", _figure("residue")),
    _Metric("painter_idle_ratio", "gauge", "Share of time without work.", _figure("idle")),
)


def exposition(renders: Iterable[Facts]) -> str:
    """All of them in one text; the label ``project`` is the folder, so each may come only once."""
    return "".join(f"{line}\n" for line in _lines(list(renders)))


def _lines(renders: Sequence[Facts]) -> Iterator[str]:
    for metric in _METRICS:
        yield from _head(metric.name, metric.kind, metric.help)
        for render in renders:
            if (value := metric.value(render)) is not None:
                yield _sample(metric.name, value, project=render.project)
    yield from _head("state", "gauge", "1 for the state that the project is in, 0 for the others.")
    for render in renders:
        for state in State:
            yield _sample("state", render.state is state, project=render.project, state=state)


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP zoomtui_{name} {text}"
    yield f"# TYPE zoomtui_{name} {kind}"


def _sample(name: str, value: float, **labels: str) -> str:
    said = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"zoomtui_{name}{{{said}}} {float(value)!r}"


def _escaped(text: str) -> str:
    """As a label's value; what is no UTF-8 in a folder's name is shown as its escape."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
