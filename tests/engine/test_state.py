"""A viewer's own state, folded from events that say only what is new."""

from __future__ import annotations

from renderer.engine.events import Marked, Rewound
from renderer.engine.state import RenderState, apply


def rewound(keyframe: int, **more: object) -> Rewound:
    values: dict[str, object] = {"takes": (), "marks": (), **more}
    return Rewound(
        keyframe=keyframe, before=9, keyframes=keyframe, frames=0, duration=0.0, size=0,
        prompt="", total_keyframes=None, **values,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_mark_takes_its_place_among_the_others() -> None:
    state = RenderState(marks=((2, "two"), (5, "five")))
    for keyframe, note in ((3, "three"), (5, "fifth"), (2, ""), (9, "nine"), (4, "")):
        state = apply(state, Marked(keyframe, note), 0.0)
    assert state.marks == ((3, "three"), (5, "fifth"), (9, "nine"))


def test_what_is_taken_back_leaves_what_was_before_it() -> None:
    state = RenderState(marks=((1, "one"), (5, "five")), takes=((0, 2), (4, 2), (5, 3)))
    chosen = apply(state, rewound(4, takes=((5, 2),), marks=((4, "four"),)), 0.0)
    assert chosen.takes == ((0, 2), (5, 2))
    assert chosen.marks == ((1, "one"), (4, "four"))
    assert apply(state, rewound(0), 0.0).takes == ()
