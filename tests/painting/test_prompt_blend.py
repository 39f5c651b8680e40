"""One prompt gives way to the next."""

from __future__ import annotations

from renderer.painting.prompt_blend import Blend, Change, blend_at


def test_a_new_prompt_replaces_the_one_before_step_by_step() -> None:
    changes = [Change(0, "cat", 0), Change(5, "dog", 3)]
    assert [blend_at(changes, keyframe) for keyframe in (4, 5, 6, 7, 8, 99)] == [
        Blend("cat"),
        Blend("dog", "cat", 1 / 4),
        Blend("dog", "cat", 2 / 4),
        Blend("dog", "cat", 3 / 4),
        Blend("dog"),
        Blend("dog"),
    ]


def test_without_keyframes_to_take_a_prompt_counts_at_once() -> None:
    assert blend_at([Change(0, "cat", 7), Change(5, "dog", 0)], 5) == Blend("dog")


def test_a_change_within_a_blend_starts_from_the_prompt_that_was_blended_to() -> None:
    changes = [Change(0, "cat", 0), Change(5, "dog", 9), Change(6, "fish", 1)]
    assert [blend_at(changes, keyframe) for keyframe in (5, 6, 7)] == [
        Blend("dog", "cat", 0.1),
        Blend("fish", "dog", 0.5),
        Blend("fish"),
    ]


def test_there_is_nothing_to_blend_with_no_prompt() -> None:
    assert blend_at([Change(0, "", 0), Change(1, "dog", 4)], 1) == Blend("dog")
