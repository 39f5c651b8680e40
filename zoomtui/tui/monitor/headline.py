"""What a render is doing, in one line: for the top of the screen, the window's title, the way out.

Pure: a view in, words out; knows neither Textual nor a clock.
"""

from __future__ import annotations

from renderer.engine.events import Phase
from renderer.formatting import age_text, clean, clock_text, path_text
from zoomtui.tui.shared.styled_text import Line, Part, cut, length, spaced
from zoomtui.viewing.view import Situation, View
from zoomtui.viewing.words import name, view_word, why_it_ended

_RECENTLY = 3600.0
"""Seconds for which a restart is worth a line."""


def title(view: View) -> str:
    """For the window: symbol, keyframes, name."""
    symbol = view_word(view)[0][0]
    return f"{symbol} {view.state.keyframes} · {name(view)}"


def header_line(view: View, now: float, width: int) -> Line:
    """How things stand, in one line; what matters less is left out first where room is short."""
    state = view.state
    word, role = view_word(view)
    if view.running and state.started_at:
        word += f" {clock_text(now - state.started_at)}"
    parts: list[Part] = [(f" {name(view)}", "strong"), (word, role)]
    if state.keyframes or view.running:
        total = "∞" if state.total_keyframes is None else str(state.total_keyframes)
        parts.append((f"{state.keyframes} of {total} keyframes", ""))
    if view.running and state.real_time_factor:
        parts.append((f"{state.real_time_factor:.2f}× real time", ""))
    soon = view.seconds_to_keyframe
    if view.running and state.phase is Phase.RENDERING and soon is not None:
        parts.append((f"next in {soon:.0f} s", ""))
    if view.running:
        parts.append((f"{state.viewers} viewer{'s'[: state.viewers != 1]}", "faint"))
    while len(parts) > 2 and length(parts, 3) > width:
        parts.pop()
    return cut(spaced(parts, "   "), width)


def notice_line(view: View, now: float) -> Line:
    """What has gone wrong, or what to do when nothing is rendered; empty while all is well."""
    match view.situation:
        case Situation.RUNNING if now - view.state.restarted_at < _RECENTLY:
            ago = age_text(now - view.state.restarted_at)
            return ((f"restarted {ago} ago: {clean(view.state.crash)}", "warn"),)
        case Situation.RUNNING if view.state.held is not None:
            waits = f"Keyframe {view.state.held + 1} waits for your decision."
            return ((waits, "warn"), ("  ] shows its takes", "strong"))
        case Situation.LOST:
            return (f"{why_it_ended(view)} The film is whole.", "bad"), ("  r goes on", "strong")
        case Situation.UNREACHABLE | Situation.RESTARTING if view.why:
            return ((clean(view.why), "warn"),)
        case Situation.OVER if view.why:
            return ((clean(view.why), "bad"),)
        case Situation.OVER if view.state.failure is not None:
            return (why_it_ended(view), "bad"), ("  r goes on", "strong")
        case Situation.OVER if view.state.stopped:
            return ("Not rendering. The film is playable.", ""), ("  r goes on", "strong")
    return ()


def farewell(view: View) -> str:
    """What is worth knowing once the interface is gone; lines."""
    project = path_text(view.folder)
    if view.running or view.situation is Situation.RESTARTING:
        return f"{name(view)} goes on rendering; `zoomtui attach {project}` shows it again"
    if view.resumable:
        return f"{name(view)} is not rendering; `zoomtui resume {project}` goes on"
    return ""
