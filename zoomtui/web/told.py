"""What the pages are told of a render, and of all: words and figures, ready to be shown.

Two sources for ``feed``. Nothing here is markup: the pages show it as text.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from renderer.engine.event_text import changes_text
from renderer.engine.events import Phase
from renderer.errors import RendererError
from renderer.formatting import (
    clean,
    clock_text,
    count_text,
    duration_text,
    share_text,
    size_text,
)
from renderer.painting.figures import explained
from renderer.project import registry
from renderer.project.records import read_settings
from renderer.settings.codecs import resolve
from zoomtui.viewing.scan import Reader, Render
from zoomtui.viewing.view import Situation, View
from zoomtui.viewing.watcher import Watch
from zoomtui.viewing.words import (
    bytes_per_hour,
    disk_lasts,
    ends_texts,
    name,
    number,
    state_word,
    view_word,
    why_it_ended,
)
from zoomtui.web.charts import Charts
from zoomtui.web.feed import Parts
from zoomtui.web.film import Extent, Film

_TICK = 0.3
"""Seconds between two looks at what the watch knows: no browser is told more often."""
_SCAN = 2.0
"""Seconds between two looks at all renders."""
_CHARTS = 10.0
"""Seconds for which charts stay as they are."""
_LINES = 100
"""Of the log."""


async def of_render(
    folder: Path, film: Film, charts: Charts, *, alone: bool
) -> AsyncIterator[Parts]:
    """One render, for as long as it is followed: one connection to its engine, if one runs.

    ``alone``: no other is served.
    """
    watch = Watch(folder)
    watching = asyncio.create_task(watch.run())
    codec, shown = await asyncio.to_thread(_codec, folder), None
    drawn, titles, looked = 0, list[tuple[str, str]](), -_CHARTS
    try:
        while True:
            extent = await asyncio.to_thread(_extent, film)
            if (watch.view, extent) != shown:
                shown = watch.view, extent
                if time.monotonic() - looked > _CHARTS:
                    looked, drawn = time.monotonic(), drawn + 1
                    titles = await asyncio.to_thread(_titles, charts)
                told = {"charts": {"drawn": drawn, "titles": titles}, "codec": codec}
                yield {**render_parts(*shown), **told, "alone": alone}
            done, _ = await asyncio.wait([watching], timeout=_TICK)
            for each in done:
                each.result()  # a bug: it never ends by itself
    finally:
        watching.cancel()


async def of_all(reader: Reader) -> AsyncIterator[Parts]:
    """The list of renders, those at work first, then the newest."""
    while True:
        scan = await asyncio.to_thread(reader.read)
        first = sorted(scan.renders, key=lambda each: (not each.state.live, -each.changed))
        free = "" if scan.free is None else f"disk {size_text(scan.free)} free"
        yield {"renders": [row(each) for each in first], "free": free, "problem": scan.problem}
        await asyncio.sleep(_SCAN)


def row(render: Render) -> dict[str, Any]:
    """One render of the list."""
    word, tone = state_word(render.state)
    found: dict[str, Any] = {
        "id": registry.identity(render.folder) if render.status else "",
        "name": clean(render.name),
        "word": word,
        "tone": tone,
        "why": clean(render.why),
        "facts": [],
    }
    if render.status is None:
        return found
    status = render.status
    last = max(0, status.keyframes - 1)
    count, total = status.keyframes, status.total_keyframes
    return found | {
        "prompt": status.prompt,
        "picture": f"{last}/{dict(status.takes).get(last, 1)}" if count else "",
        "share": count / total if total else None,
        "facts": [
            f"{count_text(count, total)} keyframes",
            f"{clock_text(status.duration)} of film",
            size_text(render.size),
        ],
    }


def render_parts(view: View, extent: Extent) -> dict[str, Any]:
    """One render, all there is to say."""
    state = view.state
    word, tone = view_word(view)
    preparing = view.running and state.phase is Phase.LOADING
    share = state.keyframes / state.total_keyframes if state.total_keyframes else None
    painting = view.running and state.painting is not None and state.steps
    per, fps = state.frames_per_keyframe, state.fps
    return {
        "name": name(view),
        "state": {"word": word, "tone": tone, "live": view.running, "notice": notice(view)},
        "prompt": state.prompt,
        "next": changes_text(state.next_changes) if state.next_changes else "",
        "next_from": state.next_from + 1,
        "keyframes": state.keyframes,
        "count": count_text(state.keyframes, state.total_keyframes),
        "takes": dict(state.takes),
        "marks": dict(state.marks),
        "share": share,
        "step": [state.step, state.steps] if painting and not preparing else None,
        "film": {
            "epoch": extent.epoch,
            "seconds": extent.frames / fps if fps else 0,
            "keyframe_seconds": per / fps if fps else 0,
            "finished": extent.finished,
        },
        "facts": facts(view),
        "log": [
            [time.strftime("%H:%M:%S", time.localtime(line.at)), clean(line.text)]
            for line in state.log[-_LINES:]
        ],
    }


def notice(view: View) -> str:
    """What has gone wrong; empty while all is well."""
    if view.why:
        return clean(view.why)
    if why := why_it_ended(view):
        return f"{why} The film is whole." if view.situation is Situation.LOST else why
    if view.state.held is not None:
        return f"Keyframe {view.state.held + 1} waits for a decision."
    return ""


def facts(view: View) -> list[tuple[str, list[tuple[str, str]]]]:
    """Groups of (label, value); what can't be told is left out."""
    state, pace = view.state, view.state.seconds_per_keyframe
    rate, per_hour, lasts = state.frame_rate, bytes_per_hour(view), disk_lasts(view)
    gpu, cpu = number(view, "gpu_percent"), number(view, "cpu_percent")
    celsius, watts = number(view, "gpu_celsius"), number(view, "gpu_watts")
    free, segments = number(view, "disk_free"), state.segment_seconds
    quality = explained(state.typical) if state.typical and state.keyframes > 1 else ""
    groups = [
        (
            "Film",
            [
                ("length", f"{clock_text(state.duration)}, {state.frames:,} frames"),
                ("speed", _joined(_of("{:.1f} fps", rate), _of("{:.2f}×", state.real_time_factor))),
                ("file", _joined(size_text(state.size), per_hour and f"{size_text(per_hour)}/h")),
                ("ends", " · ".join(ends_texts(view)) if view.running else ""),
            ],
        ),
        (
            "Painting",
            [
                ("each", duration_text(pace) if pace else ""),
                ("idle", share_text(state.typical.idle) if state.typical else ""),
                ("segment", duration_text(sum(segments) / len(segments)) if segments else ""),
                ("slower", state.bottleneck if view.running else ""),
                ("quality", quality),
            ],
        ),
        (
            "Machine",
            [
                ("GPU", _joined(_of("{:.0f} %", gpu), _memory(view, "vram"))),
                ("heat", _joined(_of("{:.0f} °C", celsius), _of("{:.0f} W", watts))),
                ("CPU", _joined(_of("{:.0f} %", cpu), _memory(view, "memory"))),
                ("disk", _joined(free and f"{size_text(free)} free", lasts and f"for {lasts}")),
            ],
        ),
    ]
    told = [(title, [row for row in rows if row[1]]) for title, rows in groups]
    return [(title, rows) for title, rows in told if rows]


def _joined(*texts: str | float | None) -> str:
    return " · ".join(text for text in texts if isinstance(text, str) and text)


def _of(how: str, value: float | None) -> str:
    return "" if value is None else how.format(value)


def _memory(view: View, which: str) -> str:
    used, total = number(view, f"{which}_used"), number(view, f"{which}_total")
    return f"{used / 2**30:.1f}/{total / 2**30:.0f} GiB" if used is not None and total else ""


def _codec(folder: Path) -> str:
    """For people: ``"h264, 8 bits"``."""
    with contextlib.suppress(RendererError):
        settings = read_settings(folder)
        return f"{resolve(settings.codec).name}, {settings.bit_depth} bits"
    return ""


def _titles(charts: Charts) -> list[tuple[str, str]]:
    """None where they can't be told; what is wrong is said by the state."""
    with contextlib.suppress(RendererError):
        return charts.titles()
    return []


def _extent(film: Film) -> Extent:
    """None yet where it can't be told; what is wrong is said by the state."""
    with contextlib.suppress(RendererError, OSError):
        return film.look()
    return Extent()
