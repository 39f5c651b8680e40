"""What the Renders screen says: renders in, sorted and filtered lines out.

Pure: knows neither Textual nor files, and is told the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from rich.cells import cell_len, set_cell_size

from renderer.engine.events import Phase
from renderer.formatting import (
    age_text,
    clean,
    clock_text,
    count_text,
    duration_text,
    path_text,
    size_text,
)
from renderer.project.records import FILM
from renderer.project.status import State
from renderer.queue.jobs import Job, Turn
from renderer.settings.plain_values import dimensions
from renderer.settings.render import RenderSettings
from zoomtui.tui.shared.fetch import fetch_command
from zoomtui.tui.shared.styled_text import Line, Part, cut, labelled, on_rows, spark
from zoomtui.viewing.scan import Render, Scan
from zoomtui.viewing.words import SIGNS, state_word

Order = Literal["newest", "name", "state", "size"]
ORDERS: tuple[Order, ...] = ("newest", "name", "state", "size")

EMPTY = "No renders yet. n starts one, or: zoomtui demo"

_BY_STATE = list(State)
_KEYS: dict[Order, Callable[[Render], tuple[Any, ...]]] = {
    "newest": lambda render: (not render.state.live, -render.changed),
    "name": lambda render: (render.name.casefold(),),
    "state": lambda render: (_BY_STATE.index(render.state), -render.changed),
    "size": lambda render: (-render.size,),
}

# Columns right of the name: heading, cells, and whether figures stand at the right.
_COLUMNS = (("state", 9, False), ("keyframes", 9, True), ("film", 8, True), ("size", 8, True),
            ("each", 8, True), ("changed", 7, True))  # fmt: skip
_SORTS: dict[str, Order] = {"state": "state", "size": "size", "changed": "newest"}
"""What a click on a heading sorts by; on the name: by that."""
_SIGN = 2
_GAP = 1
_SHORTEST_NAME = 14


def arranged(renders: Iterable[Render], order: Order, wanted: str) -> list[Render]:
    """Those that fit ``wanted`` (words, in any case), in ``order``; newest: those at work first.

    The branches of a film stand below it.
    """
    fitting = (render for render in renders if fits(render, wanted))
    ordered = sorted(fitting, key=lambda render: (*_KEYS[order](render), str(render.folder)))
    there = {str(render.folder) for render in ordered}
    branches: dict[str, list[Render]] = {}
    for render in ordered:
        parent = render.parent if render.parent in there else ""
        branches.setdefault(parent, []).append(render)
    arranged: list[Render] = []
    following = branches.pop("", [])[::-1]
    while following:
        arranged.append(following.pop())
        following += branches.pop(str(arranged[-1].folder), [])[::-1]
    return [*arranged, *(render for circle in branches.values() for render in circle)]


def fits(render: Render, wanted: str) -> bool:
    """Every word is in its name, path, state, prompt, painter or model."""
    status = render.status
    said = (status.prompt, status.painter, status.model) if status else ()
    text = "\n".join((str(render.folder), render.state, *said)).casefold()
    return all(word in text for word in wanted.casefold().split())


def possible(action: str, render: Render | None) -> bool:
    """Whether ``action`` (open, copy, resume, export, forget) is one for the chosen render."""
    if render is None:
        return False
    return {
        "resume": render.state.resumable,
        "export": render.keyframes > 1,
        "forget": render.listed and not render.state.live,
        "queue": render.state.resumable,
        "move": bool(render.turn),
        "hold": render.job is not None and render.job.turn in (Turn.WAITING, Turn.HELD),
    }.get(action, render.state.readable)


def header_line(scan: Scan, shown: int, order: Order, wanted: str, width: int) -> Line:
    """How many, how much, how much room; and what the list is sorted and filtered by."""
    count = len(scan.renders)
    of = f"{shown} of {count}" if wanted else f"{count}"
    figures = [f"{of} render{'s'[: count != 1]}", size_text(sum(r.size for r in scan.renders))]
    figures += [] if scan.free is None else [f"disk {size_text(scan.free)} free"]
    if scan.gpus:
        mean = sum(scan.gpus) / len(scan.gpus)
        figures.append(f"GPUs {spark(scan.gpus, len(scan.gpus))} {mean:.0f} %")
    right: list[Part] = [("sort ", "label"), (f"{order} ", "")]
    if wanted:
        right = [("filter ", "label"), (f"{clean(wanted)}   ", "strong"), *right]
    while True:  # what matters less is left out first
        left: list[Part] = [(" Renders", "strong"), ("   " + " · ".join(figures), "")]
        space = width - sum(cell_len(text) for text, _ in (*left, *right))
        if space > 0 or len(figures) == 1:
            return cut((*left, (" " * max(3, space), ""), *right), width)
        figures.pop()


def empty_text(scan: Scan, looked: bool) -> str:
    """What stands in place of the rows where there are none."""
    if scan.problem:
        return scan.problem
    if not looked:
        return "looking for renders…"
    return "nothing fits the filter; Esc shows all" if scan.renders else EMPTY


def heading_line(width: int) -> Line:
    """The names of the columns."""
    cells = [_cell(title, size, right) for title, size, right in _columns(width)]
    name = " " * _SIGN + _fitted("name", _name_cells(width))
    return (((" " * _GAP).join([name, *cells]), "label"),)


def order_at(column: int, width: int) -> Order | None:
    """What a click on that column of ``heading_line`` sorts by; None: nothing."""
    end = width
    for title, size, _ in reversed(_columns(width)):
        if end - size <= column < end:
            return _SORTS.get(title)
        end -= size + _GAP
    return "name" if column < end else None


def row_line(render: Render, width: int, now: float) -> Line:
    """One render in columns."""
    status = render.status
    values: dict[str, str] = {
        "state": f"queued {render.turn}" if _waits(render) else render.state,
        "changed": when_text(render.changed, now),
    }
    if status is not None:
        pace = status.seconds_per_keyframe
        values |= {
            "keyframes": count_text(status.keyframes, status.total_keyframes),
            "film": clock_text(status.duration),
            "size": brief_size(render.size),
            "each": "" if pace is None else brief_seconds(pace),
        }
    sign, role = SIGNS[render.state]
    (state, state_cells, _), *rest = _columns(width)
    sort = "└ " if render.parent else ""
    name = _fitted(sort + clean(render.name), _name_cells(width))
    cells = [_cell(values.get(title, ""), size, right) for title, size, right in rest]
    gap = " " * _GAP
    return (
        (sign.ljust(_SIGN), role),
        (name + gap, "" if render.state.readable else "faint"),
        (_cell(values[state], state_cells, False), role),
        (gap + gap.join(cells) if cells else "", ""),
    )


def _columns(width: int) -> tuple[tuple[str, int, bool], ...]:
    """Those there is room for; the last ones are left out first."""
    columns: tuple[tuple[str, int, bool], ...] = _COLUMNS
    while len(columns) > 1 and width - _taken(columns) < _SHORTEST_NAME:
        columns = columns[:-1]
    return columns


def _taken(columns: Sequence[tuple[str, int, bool]]) -> int:
    return _SIGN + sum(_GAP + size for _, size, _ in columns)


def _name_cells(width: int) -> int:
    return max(1, width - _taken(_columns(width)))


def _cell(text: str, size: int, right: bool) -> str:
    return text[:size].rjust(size) if right else text[:size].ljust(size)


def _fitted(text: str, cells: int) -> str:
    """Exactly so many cells; a longer one ends in an ellipsis."""
    if cell_len(text) > cells:
        text = set_cell_size(text, max(0, cells - 1)).rstrip() + "…"
    return set_cell_size(text, cells)


def detail_lines(render: Render, width: int, now: float) -> list[Line]:
    """All that there is to say about one render, most important first; cut to ``width`` cells."""
    lines = [_state_line(render, now)]
    if render.why:
        lines += on_rows("why", render.why, width, 4)
    if render.status is not None:
        lines += _film_lines(render, width)
    if render.status is not None and render.status.settings is not None:
        lines += _making_lines(render.status.settings)
    if render.job is not None:
        lines += on_rows("queue", _turn_text(render, render.job), width, 2)
    lines += on_rows("folder", str(render.folder), width, 2)
    return [cut(line, width) for line in lines]


def _waits(render: Render) -> bool:
    return bool(render.turn) and render.state.resumable


def _turn_text(render: Render, job: Job) -> str:
    """What is to become of it in the queue, and what runs that."""
    if render.state.live:
        return f"on {job.device}" if job.device else "begun outside of it"
    place = f", number {render.turn}; `zoomtui queue run` renders it" if render.turn else ""
    return f"{job.turn}{place}" + (f": {job.why}" if job.why else "")


def _state_line(render: Render, now: float) -> Line:
    parts: list[Part] = [state_word(render.state)]
    if render.engine is not None and render.engine.phase in (Phase.LOADING, Phase.DRAINING):
        loading = render.engine.phase is Phase.LOADING
        parts.append(("loading the painter" if loading else "finishing what is in hand", ""))
    if render.engine is not None and render.engine.real_time_factor:
        parts.append((f"{render.engine.real_time_factor:.2f}× real time", ""))
    if render.changed:
        parts.append((f"{age_text(now - render.changed)} ago", "faint"))
    return labelled("state", parts)


def _film_lines(render: Render, width: int) -> list[Line]:
    status = render.status
    assert status is not None
    film = f"whole to {clock_text(status.duration)}" if status.frames else "nothing yet"
    pace = status.seconds_per_keyframe
    each = "" if pace is None else f", {duration_text(pace)} each"
    count = count_text(status.keyframes, status.total_keyframes)
    lines = [
        labelled("film", [(f"{film}, {size_text(status.film_size)}", "")]),
        labelled("keyframes", [(f"{count}{each}, {size_text(status.keyframes_size)}", "")]),
    ]  # fmt: skip
    if status.parent:
        parent = Path(status.parent).name
        lines += on_rows("branch", f"of {parent}, at keyframe {status.branched_at + 1}", width, 2)
    if render.state.resumable:
        lines += on_rows("resume", f"R, or: zoomtui resume {path_text(render.folder)}", width, 3)
    return [*lines, *on_rows("prompt", status.prompt or "(none)", width, 3)]


def _making_lines(now: RenderSettings) -> list[Line]:
    rate = f"{float(now.fps):.6g} frames/s"
    painter = clean(" ".join(filter(None, (now.painter, now.model))))
    return [
        labelled("painter", [(f"{painter}, seed {now.seed}", "")]),
        labelled("format", [(f"{dimensions(now.size)}, {rate}, {clean(now.codec)}", "")]),
    ]


def copy_command(render: Render) -> str:
    """The command that fetches the film when typed on the user's own machine."""
    return fetch_command(render.folder / FILM, f"{render.name}.mp4")


def brief_size(size: float) -> str:
    """``size_text`` in at most 8 characters."""
    text = size_text(size)
    number, _, unit = text.partition(" ")
    return text if len(text) <= 8 else f"{float(number):.0f} {unit}"


def brief_seconds(seconds: float) -> str:
    """``"0.85 s"``, ``"6.8 s"``, ``"3.3 min"``, ``"1.2 h"``."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def when_text(at: float, now: float) -> str:
    """``"10:55"`` today, ``"Nov 20"`` this year, else ``"2025-11"``; "" where it can't be told."""
    if not at:
        return ""
    then, today = time.localtime(at), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M", then)
    return time.strftime("%b %d" if then[0] == today[0] else "%Y-%m", then)
