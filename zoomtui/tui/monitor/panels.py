"""What the monitor's panels say, line by line: a view of a render in, lines out.

Pure: knows neither Textual nor a clock. What can't be told is shown as n/a, never as zero.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.cells import cell_len

from renderer.engine.event_text import changes_text
from renderer.engine.events import Phase
from renderer.engine.state import LogLine, RenderState
from renderer.formatting import clean, clock_text, path_text, share_text, size_text
from renderer.painting.figures import explained
from zoomtui.tui.shared.styled_text import (
    LABEL,
    NOT_AVAILABLE,
    Line,
    Part,
    bar,
    cut,
    gauge,
    joined,
    labelled,
    length,
    meter,
    quoted,
    spark,
)
from zoomtui.viewing.view import View
from zoomtui.viewing.words import bytes_per_hour, disk_lasts, ends_texts, number


def progress_lines(view: View, width: int) -> list[Line]:
    """Keyframe in hand, film so far, speed, file, end."""
    state = view.state
    rate, per_hour = state.frame_rate, bytes_per_hour(view)
    speed = [] if rate is None else [f"{rate:.1f} fps", f"{state.real_time_factor or 0:.2f}×"]
    if state.seconds_per_keyframe:
        speed.append(f"{60 / state.seconds_per_keyframe:.1f} kf/min")
    file = [size_text(state.size)] + ([f"{size_text(per_hour)}/h"] if per_hour else [])
    return [
        _step_line(view, width),
        labelled(
            "film", [(clock_text(state.duration), "strong"), (f"{state.frames:,} frames", "")]
        ),
        labelled("speed", joined(speed, width - LABEL)),
        labelled("file", joined(file, width - LABEL)),
        labelled("ends", joined(ends_texts(view), width - LABEL)),
    ]


def _step_line(view: View, width: int) -> Line:
    state = view.state
    if view.running and state.phase is Phase.LOADING:
        return labelled("keyframe", [("the painter is being loaded", "faint")])
    if view.running and state.steps and state.painting is not None:
        return gauge("keyframe", state.step, state.steps, width)
    return labelled("keyframe", [(bar(0, width - LABEL), "faint")])


def gpu_lines(view: View, width: int) -> list[Line]:
    """Load, its history, memory, heat."""
    percent, used, total = (number(view, n) for n in ("gpu_percent", "vram_used", "vram_total"))
    celsius, watts = number(view, "gpu_celsius"), number(view, "gpu_watts")
    heat = [] if celsius is None else [f"{celsius:.0f} °C"]
    heat += [] if watts is None else [f"{watts:.0f} W"]
    history = view.history if percent is not None else ()
    trend: Part = (spark(history, width - LABEL), "bar") if history else (NOT_AVAILABLE, "")
    return [
        _percent_meter("load", percent, width),
        labelled("trend", [trend]),
        _memory_meter("vram", used, total, width),
        labelled("heat", joined(heat, width - LABEL)),
    ]


def gpu_name(view: View) -> str:
    """The panel's title."""
    known = (view.state.meters or {}).get("gpu_name")
    return f"GPU · {clean(known)}" if isinstance(known, str) else "GPU"


def host_lines(view: View, width: int) -> list[Line]:
    """Processor, memory, disk."""
    cpu, used, total = (number(view, n) for n in ("cpu_percent", "memory_used", "memory_total"))
    engine, free = number(view, "engine_memory"), number(view, "disk_free")
    disk = [NOT_AVAILABLE if free is None else f"{size_text(free)} free"]
    if lasts := disk_lasts(view):
        disk.append(lasts)
    return [
        _percent_meter("cpu", cpu, width),
        _memory_meter("ram", used, total, width),
        labelled("engine", [(NOT_AVAILABLE if engine is None else size_text(engine), "")]),
        labelled("disk", joined(disk, width - LABEL)),
    ]


def pipeline_lines(view: View, width: int) -> list[Line]:
    """Both sides of the hand-off between painting and film, and which one the other waits for."""
    state = view.state
    segments = state.segment_seconds
    painting, idle = state.seconds_per_keyframe, state.typical.idle if state.typical else None
    encoding = sum(segments) / len(segments) if segments else None
    slow = state.bottleneck if view.running else ""
    return [
        _side("painting", painting, "kf", slow, width, idle),
        gauge("waiting", state.queued, state.capacity, width),
        _side("encoding", encoding, "segment", slow, width),
    ]


def _side(
    side: str, seconds: float | None, each: str, slow: str, width: int, idle: float | None = None
) -> Line:
    """Its pace, whether the other side waits for it, and how idle it is, if there is room."""
    pace: Part = (NOT_AVAILABLE if seconds is None else f"{_seconds(seconds)}/{each}", "")
    verdict: list[Part] = [("bottleneck", "warn")] if side == slow else []
    if idle is not None:
        whole = labelled(side, [pace, (f"idle {share_text(idle)}", ""), *verdict])
        if length(whole, 0) <= width:
            return whole
    return labelled(side, [pace, *verdict])


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def prompt_lines(view: View, width: int) -> list[Line]:
    """The prompt in hand, and the one that is queued."""
    state = view.state
    now: list[Part] = [quoted(state.prompt) if state.prompt else ("(none)", "faint")]
    if state.next_changes:
        text = changes_text(state.next_changes)
        following: list[Part] = [(f"from keyframe {state.next_from + 1}:", "strong"), quoted(text)]
    else:
        following = [("p writes another", "faint") if view.steerable else ("", "")]
    return [
        cut(labelled("now", now, 6), width),
        cut(labelled("next", following, 6), width),
    ]


def log_lines(log: Sequence[LogLine], count: int, width: int) -> list[Line]:
    """The last ``count`` lines of the session, newest last; fewer when there are fewer."""
    lines: list[Line] = []
    for line in log[-count:] if count > 0 else ():
        at = time.strftime("%H:%M:%S", time.localtime(line.at))
        lines.append(cut([(f"{at}  ", "label"), quoted(line.text)], width))
    return lines


def strip_line(count: int, shown: int, following: bool, width: int) -> Line:
    """The keyframes around the one that is ``shown``, of ``count``: ``‹ 11 12 [13] 14 ›``."""
    if not count:
        return (("no keyframe yet", "faint"),)
    hint: Part = ("  newest  ←/→ walk" if following else "  End newest", "faint")
    room = width - cell_len(hint[0]) - 4
    first = last = shown
    while True:  # one more on the side that has fewer, as long as there is room
        wider = [(f, n) for f, n in ((first - 1, last), (first, last + 1)) if f >= 0 and n < count]
        wider.sort(key=lambda ends: abs((shown - ends[0]) - (ends[1] - shown)))
        if not wider or _strip_length(*wider[0]) > room:
            break
        first, last = wider[0]
    parts: list[Part] = [("‹ " if first else "  ", "faint")]
    for index in range(first, last + 1):
        here = index == shown
        parts.append((f"[{index + 1}]" if here else f" {index + 1} ", "strong" if here else ""))
    parts.append((" ›" if last < count - 1 else "  ", "faint"))
    return cut([*parts, hint], width)


def _strip_length(first: int, last: int) -> int:
    return sum(len(str(index + 1)) + 2 for index in range(first, last + 1))


def project_lines(view: View, width: int) -> list[Line]:
    """Where things are, and how to watch the film while it grows."""
    folder = view.folder
    typical = view.state.typical if view.state.keyframes > 1 else None
    rows: list[tuple[str, str]] = [
        ("folder", path_text(folder)),
        ("watch", f"mpv {path_text(folder / 'film.mp4')}"),
        ("live", f"mpv {path_text(folder / 'live.m3u8')}"),
        ("engine", f"process {view.pid}" if view.running else NOT_AVAILABLE),
        ("quality", explained(typical) if typical else NOT_AVAILABLE),
    ]
    return [cut(labelled(label, [(text, "quoted")]), width) for label, text in rows]


def next_to_begin(state: RenderState) -> int:
    """The first keyframe, from 0, that a change may count for; the engine has the last word."""
    if state.next_changes:
        return state.next_from
    return state.keyframes + state.queued if state.painting is None else state.painting + 1


def _percent_meter(label: str, percent: float | None, width: int) -> Line:
    if percent is None:
        return meter(label, NOT_AVAILABLE, None, width)
    return meter(label, f"{percent:.0f} %", percent / 100, width)


def _memory_meter(label: str, used: float | None, total: float | None, width: int) -> Line:
    if used is None or not total:
        return meter(label, NOT_AVAILABLE, None, width)
    figures = f"{used / 2**30:.1f}/{total / 2**30:.0f} GiB"
    return meter(label, figures, used / total, width)
