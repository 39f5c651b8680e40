"""The clock is set back and forth while a render runs: the film does not notice."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from renderer.engine.events import KeyframeReady, SegmentWritten
from renderer.engine.state import RenderState, apply
from renderer.project.status import State, read_status
from tests.engine.runs import digest, of, project, render

DAY = 86400.0


def test_a_clock_that_jumps_changes_no_byte_and_no_duration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = project(tmp_path / "calm.zoom")
    render(calm)
    real, jumps = time.time, itertools.cycle((0.0, DAY, -DAY, 400 * DAY, -20 * 365 * DAY))
    monkeypatch.setattr(time, "time", lambda: real() + next(jumps))
    folder = project(tmp_path / "jumping.zoom")
    events = render(folder)
    assert digest(folder) == digest(calm)
    assert all(0 <= event.seconds < 60 for event in of(events, KeyframeReady))
    assert all(0 <= event.seconds < 60 for event in of(events, SegmentWritten))
    assert read_status(folder).state is State.FINISHED
    state = RenderState()
    for event in events:
        state = apply(state, event, time.time())
        assert state.frame_rate is None or state.frame_rate >= 0
    assert state.finished
