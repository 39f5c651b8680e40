"""`status --history`: how a whole render went, as charts in text or as JSON."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from renderer.formatting import clean
from zoomtui.stdio import OUT, answer, answer_json

if TYPE_CHECKING:
    from renderer.project.series import Series

_COLUMNS = 80
"""Where there is no terminal."""
_ROWS = 6
_LEAST = 20
"""Columns that a chart takes at least."""
_TOLD = 20
"""Of what happened, the last; the JSON has all."""


def show_history(project: Path, *, as_json: bool, plain: bool) -> None:
    """Of the project at that folder; ``plain``: in ASCII. Raises ProjectError, SettingsError."""
    from renderer.project.records import read_settings
    from renderer.project.series import SeriesReader

    read_settings(project)  # what is no project is said by this
    series = SeriesReader(project).look()
    if as_json:
        answer_json({"project": str(project), **series.to_json()})
        return
    columns = shutil.get_terminal_size().columns if os.isatty(OUT) else _COLUMNS
    for line in history_lines(series, columns, plain=plain):
        answer(line)


def history_lines(series: Series, columns: int, *, plain: bool) -> list[str]:
    """No line is wider than ``columns``, but for what happened."""
    from zoomtui.viewing.axis import happening_text
    from zoomtui.viewing.braille import LABELS, MARKS, Axis, draw

    if not series.columns:
        return ["no keyframe is painted yet"]
    axis = Axis(0, series.keyframes, max(_LEAST, columns - LABELS), plain)
    indent, lines = " " * LABELS, []
    for name in series.columns:
        drawn = draw(series, name, axis, _ROWS)
        lines.append(f"{indent}{drawn.title}  {drawn.facts}")
        lines += [f"{label}{row}" for label, row in zip(drawn.labels, drawn.rows, strict=True)]
        lines += [indent + axis.marks(series.happenings), indent + axis.numbers(), ""]
    told, left = series.happenings[-_TOLD:], len(series.happenings) - _TOLD
    lines += [f"{left} earlier marks; --json has all"] if left > 0 else []
    lines += [
        f"{MARKS[each.kind][plain]} {each.keyframe + 1:>6,}  {clean(happening_text(each))}"
        for each in told
    ]
    return [line.translate(_ASCII) if plain else line for line in map(str.rstrip, lines)]


_ASCII = str.maketrans({"…": "~"})
