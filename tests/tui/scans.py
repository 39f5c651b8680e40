"""Renders that never were, for tests that need no files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from renderer.engine.events import Phase
from renderer.engine.state import RenderState
from renderer.painting.figures import Figures
from renderer.project.session_record import SessionRecord
from renderer.project.status import State, Status
from tests.tui.scripted import NOW
from zoomtui.viewing.scan import Render, Scan

HOUR, DAY = 3600.0, 86400.0
FILMS = Path("/films")


def status(folder: Path, **changes: Any) -> Status:
    values: dict[str, Any] = {
        "project": str(folder),
        "state": State.STOPPED,
        "holder": None,
        "film": str(folder / "film.mp4"),
        "prompt": "a coral reef, oil painting",
        "painter": "diffusion",
        "model": "sd2",
        "keyframes": 64,
        "total_keyframes": None,
        "frames": 3840,
        "total_frames": None,
        "duration": 128.0,
        "film_size": 3 << 30,
        "keyframes_size": 1 << 28,
        "figures": Figures(seconds=6.8, seam=1.01, drift=0.4),
        "session": SessionRecord(),
    }
    return Status(**values | changes)


def render(name: str, state: State = State.STOPPED, ago: float = HOUR, **changes: Any) -> Render:
    """One render; ``changes`` are of its status."""
    folder = FILMS / f"{name}.zoom"
    said = status(folder, **changes) if state.readable else None
    why = "" if said else "moved or deleted; x forgets it"
    paused = RenderState(phase=Phase.PAUSED) if state is State.PAUSED else None
    return Render(folder, state, said, why, 0.0 if not said else NOW - ago, engine=paused)


AURORA = render("aurora-cathedral", State.RUNNING, 3, keyframes=128, duration=1280.0)
CORAL = render("coral-city", State.PAUSED, 2 * HOUR)
INK = render("ink-dragons", State.FINISHED, 2 * DAY, keyframes=900, total_keyframes=900,
             duration=9000.0, film_size=41 << 30, prompt="ink dragons on paper")  # fmt: skip
MARS = render("mars-bazaar", State.DAMAGED)
MOSS = render("moss-library", State.STOPPED, 400 * DAY, keyframes=331, film_size=15 << 30)
KOI = render("neon-koi", State.MISSING)
SCAN = Scan((AURORA, CORAL, INK, MARS, MOSS, KOI), free=1300 << 30)
