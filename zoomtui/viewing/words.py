"""What a render is doing, in words that every viewer uses. Pure: knows no screen and no clock.

A word's tone says how good that is; it only ever repeats what the word and its sign say.
"""

from __future__ import annotations

from typing import Literal

from renderer.engine.events import Phase
from renderer.formatting import clean, duration_text
from renderer.project.records import name_of
from renderer.project.status import State
from zoomtui.viewing.view import Situation, View

Tone = Literal["good", "warn", "bad"]

SIGNS: dict[State, tuple[str, Tone]] = {
    State.RUNNING: ("●", "good"),
    State.PAUSED: ("‖", "warn"),
    State.REVIEW: ("‖", "warn"),
    State.FINISHED: ("✔", "good"),
    State.FAILED: ("✗", "bad"),
    State.STOPPED: ("■", "warn"),
    State.MISSING: ("?", "bad"),
    State.DAMAGED: ("!", "bad"),
}


def state_word(state: State) -> tuple[str, Tone]:
    """Sign and word of a project: ``"● running"``."""
    sign, tone = SIGNS[state]
    return f"{sign} {state}", tone


def view_word(view: View) -> tuple[str, Tone]:
    """Symbol and word for what the render is doing: never told apart by colour alone."""
    match view.situation:
        case Situation.CONNECTING:
            return "○ LOOKING FOR THE ENGINE", "warn"
        case Situation.UNREACHABLE:
            return "! OUT OF REACH", "warn"
        case Situation.RESTARTING:
            return "○ RESTARTING", "warn"
        case Situation.LOST:
            return "✗ ENGINE LOST", "bad"
        case Situation.OVER:
            return _ending(view)
    return _PHASES[view.state.phase]


_PHASES: dict[Phase, tuple[str, Tone]] = {
    Phase.LOADING: ("● LOADING", "good"),
    Phase.RENDERING: ("● RENDERING", "good"),
    Phase.PAUSED: ("‖ PAUSED", "warn"),
    Phase.REVIEW: ("‖ REVIEW", "warn"),
    Phase.DRAINING: ("● FINISHING", "good"),
}


def _ending(view: View) -> tuple[str, Tone]:
    if view.why:
        return "! NO PROJECT", "bad"
    if view.state.failure is not None:
        return "✗ FAILED", "bad"
    return ("■ STOPPED", "warn") if view.state.stopped else ("✔ FINISHED", "good")


def name(view: View) -> str:
    """The project's, fit for a terminal."""
    return clean(name_of(view.folder))


def why_it_ended(view: View) -> str:
    """The reason, where the last session ended with an error; else empty."""
    if view.situation is Situation.LOST:
        return "The engine is gone without a word."
    return clean(view.state.failure.message) if view.state.failure is not None else ""


def ends_texts(view: View) -> list[str]:
    """When the render will be over, or what ends it."""
    state = view.state
    if not view.running:
        return ["nothing is being rendered"]
    if state.phase is Phase.DRAINING:
        return ["after the segment in hand"]
    by_itself = [f"or {clean(each)}" for each in state.stop_when]
    by_itself += [f"pause {clean(each)}" for each in state.pause_when]
    if state.total_keyframes is None:
        lasts = disk_lasts(view)
        return ["when stopped", *by_itself, *([f"disk {lasts}"] if lasts else [])]
    if state.seconds_left is None:
        return [f"after {state.total_keyframes} keyframes", *by_itself]
    return [f"in {duration_text(max(1, round(state.seconds_left)))}", *by_itself]


def number(view: View, name: str) -> float | None:
    value = (view.state.meters or {}).get(name)
    return float(value) if isinstance(value, float | int) else None


def bytes_per_hour(view: View) -> float | None:
    """Of the film and its keyframes together, by the pace of the last segments."""
    rate = view.state.disk_rate(view.keyframe_size)
    return rate * 3600 if rate else None


def disk_lasts(view: View) -> str:
    """How long the free disk will last; empty where that can't be told."""
    free, per_hour = number(view, "disk_free"), bytes_per_hour(view)
    if free is None or not per_hour or not view.running:
        return ""
    hours = free / per_hour
    if hours >= 48:
        return f"{hours / 24:,.0f} days"
    return f"{hours:.0f} h" if hours >= 2 else f"{hours * 60:.0f} min"
