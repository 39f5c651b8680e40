"""The keyframe in the making, for a viewer that asks to see it, and for no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renderer.engine.events import Event, KeyframeStarted, StepDone
from renderer.engine.preview import LONGEST_SIDE, Preview
from renderer.engine.session import Session
from renderer.painting.painters import preview_hook
from renderer.project.project import Project
from renderer.project.records import JOURNAL, LOG
from renderer.project.status import read_status
from tests.cli.engines import engine, make_project, until
from tests.engine.runs import project
from tests.service.viewers import viewer

ASK = b'{"id": 5, "command": "preview"}'


def looked_at(folder: Path, moment: type[Event]) -> tuple[list[Preview], list[Event]]:
    """Render ``folder`` while a viewer asks for a preview at each such event."""
    shown: list[Preview] = []
    events: list[Event] = []
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            events.append(event)
            if isinstance(event, moment):
                session.preview_requests.ask()

        session = Session(opened, emit)
        session.preview_requests.listen(shown.append)
        session.run()
    return shown, events


# ------------------------------------------------------------------------------- in the engine


def test_a_painter_shows_each_keyframe_that_is_asked_for_once(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframe_size=(128, 64))
    shown, events = looked_at(folder, KeyframeStarted)
    assert [preview.keyframe for preview in shown] == [0, 1, 2, 3]
    steps = {(event.keyframe, event.step) for event in events if isinstance(event, StepDone)}
    for preview in shown:
        assert (preview.keyframe, preview.step) in steps
        assert preview.step == 1
        assert max(preview.width, preview.height) <= preview_hook.SIDE
        assert len(preview.rgb) == preview.width * preview.height * 3


def test_a_preview_is_the_picture_as_far_as_it_is_painted(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframe_size=(64, 64), keyframes=2)
    shown, _ = looked_at(folder, StepDone)
    last = [preview for preview in shown if preview.keyframe == 1][-1]
    assert last.step == last.steps
    pixels = np.frombuffer(last.rgb, np.uint8).reshape(last.height, last.width, 3)
    with Project.open(folder) as opened:
        assert (pixels == opened.load_keyframe(1)).all()  # small enough to be shown whole


def test_where_nobody_asks_nothing_is_shown_and_the_film_is_the_same(tmp_path: Path) -> None:
    alone, watched = (project(tmp_path / name, painter="texture") for name in ("a", "b"))
    assert looked_at(alone, KeyframeStarted)[0] != []
    shown, _ = looked_at(watched, type(None))  # type: ignore[arg-type]
    assert shown == []
    assert (alone / "film.mp4").read_bytes() == (watched / "film.mp4").read_bytes()


def test_pictures_are_made_small_by_whole_strides() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (200, 97, 3), np.uint8)
    small = preview_hook.sampled(picture)
    assert small.shape == (67, 33, 3)
    assert (small == picture[::3, ::3]).all()
    assert preview_hook.fitting(1920, 1080) == (96, 54)
    assert preview_hook.fitting(64, 32) == (64, 32)
    assert preview_hook.fitting(4000, 2) == (96, 1)


# ------------------------------------------------------------------------------ over the socket


def test_only_the_viewer_that_asks_is_shown_the_picture(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", since=2)
    with engine(folder), viewer(folder) as curious, viewer(folder) as other:
        until(lambda: read_status(folder).keyframes == 2, "two keyframes are painted")
        for _ in range(2):
            reply = curious.ask(ASK)
            assert (reply["id"], reply["ok"]) == (5, True)
            preview = Preview.from_json(reply["preview"])
            assert preview.keyframe == 2
            assert (preview.width, preview.height) == (72, 72)  # the canvas, by every other pixel
        assert other.ask(b'{"id": 9, "command": "pause"}') == {"type": "reply", "id": 9, "ok": True}


def test_a_painter_that_shows_nothing_keeps_nobody_from_asking_other_things(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "deaf", since=2)
    with engine(folder), viewer(folder) as one:
        one.say(ASK + b"\n")
        again = one.ask(ASK.replace(b"5", b"6"))
        assert again["id"] == 6
        assert again["error"] == "a preview was asked for already and is still to come"
        assert one.ask(b'{"id": 7, "command": "pause"}')["ok"]


def test_a_preview_is_kept_nowhere(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", since=2)
    with engine(folder), viewer(folder) as one:
        shown = one.ask(ASK)["preview"]["rgb"]
        for name in (LOG, JOURNAL):
            assert shown not in (folder / name).read_text(encoding="utf-8")


# ---------------------------------------------------------------------------------- as a message

PICTURE = Preview(3, 4, 25, 2, 1, bytes(range(6)))


def test_a_preview_survives_its_journey() -> None:
    assert Preview.from_json(json.loads(json.dumps(PICTURE.to_json()))) == PICTURE


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 3},
        {"width": 0, "rgb": ""},
        {"height": -1},
        {"height": True},
        {"step": "4"},
        {"width": LONGEST_SIDE + 1, "height": 1, "rgb": "AAAA" * (LONGEST_SIDE + 1)},
        {"width": 10**9, "height": 10**9},
        {"rgb": "\x00"},
        {"rgb": "é"},
        {"rgb": None},
        {"rgb": 7},
    ],
)
def test_what_is_no_picture_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^no preview: "):
        Preview.from_json({**PICTURE.to_json(), **wrong})
