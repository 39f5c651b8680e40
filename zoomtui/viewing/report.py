"""A render as one HTML file, to send or to keep: pictures, charts, prompts, sessions, settings.

Needs nothing else and runs nothing: pictures and styles are inside, there is no script, and a
strict Content-Security-Policy says so. What comes from outside stands in it as text.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from renderer import __version__
from renderer.formatting import count_text, duration_text, shortened, size_text
from renderer.images import FAULTS, read_provenance, small_jpeg
from renderer.painting.figures import explained
from renderer.project.records import keyframe_path, read_settings
from renderer.project.series import Happening, Series, SeriesReader
from renderer.project.status import Status, read_status
from renderer.settings.render import RenderSettings
from zoomtui.viewing import charts
from zoomtui.viewing.axis import happening_text
from zoomtui.viewing.contact_sheet import chosen, kept_keyframes

OnProgress = Callable[[int, int], None]
"""``(done, total)``, pictures."""
_LONGEST = 4000
"""Characters of a text."""
_MOST_ROWS = 400
"""Of a table; the newest."""
_SIDE = 320
"""Pixels of a picture's longer side: as many as there can be, of pure noise, take 5 MB."""

_STYLE = f"""\
:root{{color-scheme:light dark;--back:#fff;--ink:#1f2328;--faint:#59636e;--rule:#d1d9e0}}
@media (prefers-color-scheme:dark){{:root{{--back:#0d1117;--ink:#f0f6fc;--faint:#9198a1;
--rule:#3d444d}}}}
body{{margin:0 auto;padding:1rem;max-width:78rem;background:var(--back);color:var(--ink);
font:15px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}}
h1{{font-size:1.6rem;margin:.2rem 0}}h2{{font-size:1.15rem;margin:2rem 0 .6rem}}
.faint,figcaption,th{{color:var(--faint)}}.why{{color:#cf222e}}
.sheet,.charts{{display:grid;gap:.75rem}}
.sheet{{grid-template-columns:repeat(auto-fill,minmax(min(100%,9.5rem),1fr))}}
.charts{{grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:1.2rem}}
figure{{margin:0;break-inside:avoid}}figure img{{width:100%;height:auto;display:block}}
figcaption{{font-size:.8rem;padding:.15rem 0}}figcaption b{{color:var(--ink)}}
table{{border-collapse:collapse;width:100%}}
th,td{{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;
border-bottom:1px solid var(--rule);font-weight:normal}}th{{white-space:nowrap}}
td{{width:99%}}.columns{{columns:22rem}}tr{{break-inside:avoid}}
@media print{{:root{{color-scheme:light;--back:#fff;--ink:#000;--faint:#555;--rule:#ccc}}
body{{padding:0;font-size:11px}}.chart{{break-inside:avoid}}h2{{break-after:avoid}}
.sheet{{grid-template-columns:repeat(6,1fr)}}.charts{{grid-template-columns:1fr 1fr}}}}
{charts.STYLE}"""

_MARKS = "▲ prompt or settings, ■ note, ▶ another session, ✗ restarted after a crash"


@dataclass(frozen=True, slots=True)
class _Picture:
    keyframe: int
    jpeg: bytes | None
    note: str


def report_html(folder: Path, on_progress: OnProgress = lambda done, total: None) -> str:
    """The report on the project at ``folder``, as it is now. Raises ProjectError, SettingsError."""
    settings, status = read_settings(folder), read_status(folder)
    series = SeriesReader(folder).look()
    sheet = map(_figure, _pictures(folder, status, series, on_progress))
    curves = (charts.chart(series, name, alone=False) for name in series.columns)
    sections = [
        _section("Keyframes", "sheet", "".join(sheet)),
        _section("History", "charts", "".join(curves)),
        f'<p class="faint">{_MARKS}</p>' if series.happenings else "",
        _section("Prompts and settings on the way", "", _changes(settings, series)),
        _section("Notes", "", _table(_rows(series, "note", lambda each: each.note))),
        _section("Sessions", "", _sessions(status, series)),
        _section(
            "Settings that it was begun with", "columns", _table(_plain_rows(settings.plain()))
        ),
        _section(
            "How the newest keyframe was made", "columns", _table(_provenance(folder, status))
        ),
    ]
    return _page(folder.absolute().name, _head(folder, status, series) + "".join(sections))


def _page(name: str, body: str) -> str:
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark">'
        f'<meta name="referrer" content="no-referrer">'
        f"<title>{_text(name)}: report</title><style>{_STYLE}</style></head>\n"
        f"<body>{body}</body></html>\n"
    )


def _text(text: object) -> str:
    return escape(shortened(str(text), _LONGEST))


def _section(title: str, kind: str, inside: str) -> str:
    """Nothing where there is nothing inside."""
    return f'<h2>{_text(title)}</h2><div class="{kind}">{inside}</div>\n' if inside else ""


def _table(rows: Iterable[tuple[object, object]]) -> str:
    """Of a heading and a text each."""
    shown = list(rows)
    left = len(shown) - _MOST_ROWS
    if left > 0:
        shown[:left] = [("…", f"{left} more before")]
    lines = (f"<tr><th>{_text(name)}</th><td>{_text(text)}</td></tr>" for name, text in shown)
    return f"<table>{''.join(lines)}</table>" if shown else ""


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


# --- the sections ------------------------------------------------------------------------------


def _head(folder: Path, status: Status, series: Series) -> str:
    name = _text(folder.absolute().name)
    why = status.session.failure if status.state == "failed" else status.session.crash
    made = f"report of {_when(time.time())}, zoomtui {__version__}"
    problem = f'<p class="why">{_text(why)}</p>' if why else ""
    facts = _table(_facts(status, series))
    return f'<h1>{name}</h1><p class="faint">{_text(made)}</p>{problem}{facts}\n'


def _facts(status: Status, series: Series) -> list[tuple[str, str]]:
    pace = status.seconds_per_keyframe
    each = "" if pace is None else f", {duration_text(pace)} each lately"
    length, frames = duration_text(status.duration), count_text(status.frames, status.total_frames)
    count = count_text(status.keyframes, status.total_keyframes)
    facts = [
        ("state", str(status.state)),
        ("prompt", status.prompt or "(none)"),
        ("painter", " ".join(filter(None, [status.painter, status.model]))),
        ("film", f"{length}, {frames} frames, {size_text(status.film_size)}"),
        ("keyframes", f"{count}{each}, {size_text(status.keyframes_size)}"),
    ]
    if status.figures is not None:
        facts.append(("quality", explained(status.figures)))
    if series.keyframes:
        facts.append(("painted", f"{_when(series.at[0])} to {_when(series.at[-1])}"))
    if status.parent:
        facts.append(("branch", f"of {status.parent}, from keyframe {status.branched_at + 1} on"))
    return facts


def _pictures(
    folder: Path, status: Status, series: Series, on_progress: OnProgress
) -> list[_Picture]:
    takes = dict(status.takes)
    notes = {each.keyframe: each.note for each in series.happenings if each.kind == "note"}
    turns = [each.keyframe for each in series.happenings if each.kind == "steered"]
    wanted = chosen(kept_keyframes(folder, status.keyframes, takes), {*notes, *turns})
    pictures = []
    for done, keyframe in enumerate(wanted):
        on_progress(done, len(wanted))
        jpeg = None  # where it can't be read
        with suppress(*FAULTS):
            jpeg = small_jpeg(keyframe_path(folder, keyframe, takes.get(keyframe, 1)), _SIDE)
        pictures.append(_Picture(keyframe, jpeg, notes.get(keyframe, "")))
    return pictures


def _figure(picture: _Picture) -> str:
    number = f"Keyframe {picture.keyframe + 1:,}"
    shown = "<p>its file can't be read</p>"
    if picture.jpeg is not None:
        data = base64.b64encode(picture.jpeg).decode()
        shown = f'<img alt="{number}" src="data:image/jpeg;base64,{data}">'
    note = f" <b>{_text(picture.note)}</b>" if picture.note else ""
    return f"<figure>{shown}<figcaption>{number}{note}</figcaption></figure>"


def _changes(settings: RenderSettings, series: Series) -> str:
    first = ("from keyframe 1", settings.prompt or "(no prompt)")
    return _table([first, *_rows(series, "steered", happening_text, "from keyframe")])


def _rows(
    series: Series, kind: str, says: Callable[[Happening], str], before: str = "keyframe"
) -> list[tuple[str, str]]:
    found = (each for each in series.happenings if each.kind == kind)
    return [(f"{before} {each.keyframe + 1:,}", says(each)) for each in found]


def _sessions(status: Status, series: Series) -> str:
    if not series.keyframes:
        return ""
    starts = [0, *(each.keyframe for each in series.happenings if each.kind == "resumed")]
    crashes = [each.keyframe for each in series.happenings if each.kind == "restarted"]
    rows: list[tuple[str, str]] = []
    for number, (start, end) in enumerate(pairwise([*starts, series.keyframes]), 1):
        count = sum(start <= each < end for each in crashes)
        parts = [
            f"keyframes {start + 1:,} to {end:,}",
            f"{_when(series.at[start])} to {_when(series.at[end - 1])}",
            *([f"restarted after a crash: {count}×"] if count else []),
        ]
        rows.append((f"session {number}", ", ".join(parts)))
    if status.session.crash:
        rows.append(("last crash", f"{_when(status.session.at)}: {status.session.crash}"))
    return _table(rows)


def _plain_rows(values: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), _value(value)) for name, value in sorted(values.items())]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value)) or "none"
    return str(value) if value not in ("", {}, None) else "none"


def _provenance(folder: Path, status: Status) -> list[tuple[str, str]]:
    """What its file says; nothing where it can't be read."""
    if not status.keyframes:
        return []
    newest = status.keyframes - 1
    path = keyframe_path(folder, newest, dict(status.takes).get(newest, 1))
    with suppress(*FAULTS):
        return _plain_rows(read_provenance(path))
    return []
