"""Which settings count for which keyframe: as a replay of all steering says, without one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from renderer.errors import ProjectError
from renderer.journal import Record
from renderer.painting import prompt_blend
from renderer.painting.prompt_blend import Blend, Change
from renderer.project.history import History, Rewind
from renderer.project.rewinding import choosing, rerolled, rewound
from renderer.project.timeline import Steering, Timeline
from renderer.settings.render import OF_THE_RENDER, RenderSettings

SETTINGS = RenderSettings(prompt="a", prompt_blend=2)


def replayed(steering: Sequence[Steering], keyframe: int) -> tuple[RenderSettings, Blend]:
    """What counts, by going through all of it."""
    begun = (each for each in steering if each.from_keyframe <= keyframe)
    settings, changes = SETTINGS, [Change(0, SETTINGS.prompt, 0)]
    for each in sorted(begun, key=lambda one: one.from_keyframe):
        settings = settings.changed(each.changes)
        if changes[-1].start == each.from_keyframe:
            changes.pop()
        if not changes or changes[-1].prompt != settings.prompt:
            changes.append(Change(each.from_keyframe, settings.prompt, settings.prompt_blend))
    for each in steering:  # as they were written, for whatever keyframe
        settings = settings.changed({k: v for k, v in each.changes.items() if k in OF_THE_RENDER})
    return settings, prompt_blend.blend_at(changes, keyframe)


def some_changes(chance: random.Random) -> dict[str, Any]:
    every = {
        "prompt": chance.choice("abc"),
        "prompt_blend": chance.randrange(4),
        "steps": chance.randint(1, 9),
        "keyframes": chance.randint(20, 29),
    }
    return {name: every[name] for name in chance.sample(sorted(every), chance.randint(1, 2))}


@pytest.mark.parametrize("seed", range(8))
def test_a_look_finds_what_a_replay_of_all_steering_finds(seed: int) -> None:
    chance = random.Random(seed)
    steering: list[Steering] = []
    timeline = Timeline()
    for _ in range(25):
        if steering and chance.random() < 0.2:
            timeline.remove(steering.pop(chance.randrange(len(steering))))
        else:
            steering.append(Steering(chance.randrange(12), some_changes(chance)))
            timeline.add(steering[-1])
        for keyframe in range(14):
            found = timeline.settings_at(SETTINGS, keyframe), timeline.blend_at(SETTINGS, keyframe)
            assert found == replayed(steering, keyframe)


def test_a_look_costs_the_same_however_much_was_steered(monkeypatch: pytest.MonkeyPatch) -> None:
    timeline = Timeline(Steering(n, {"prompt": f"p{n}", "steps": 1 + n % 9}) for n in range(5000))
    changed, sizes = RenderSettings.changed, list[int]()

    def counted(self: RenderSettings, values: Any, where: str = "") -> RenderSettings:
        sizes.append(len(values))
        return changed(self, values, where)

    monkeypatch.setattr(RenderSettings, "changed", counted)
    assert timeline.settings_at(SETTINGS, 4321).prompt == "p4321"
    assert timeline.settings_at(SETTINGS, 4321).steps == 1 + 4321 % 9
    assert timeline.blend_at(SETTINGS, 9999) == Blend("p4999")
    assert sizes == [2]


class Written:
    """A journal as a render writes it, at random, and the history that goes on with it."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.records: list[Record] = []
        self.history = History()

    def step(self) -> None:
        does = [self._paint, self._paint, self._steer, self._plan, self._drop, self._mark]
        self._chance.choice([*does, self._take_back])()

    def _add(self, record: Record) -> None:
        self.records.append(record)
        self.history.add(record)

    def _paint(self) -> None:
        history, keyframe = self.history, len(self.history.keyframes)
        around = history.keyframes[-1].take if keyframe else 1
        self._add(
            {"type": "keyframe", "keyframe": keyframe, "take": history.next_take(keyframe),
             "variation": history.variation(keyframe), "around": around, "length": 1, "crc": 0,
             "seed": 0, "at": 1.0, "seconds": 1.0, "seam": 1.0, "drift": 1.0}
        )  # fmt: skip

    def _steer(self, ahead: int = 0) -> None:
        start = len(self.history.keyframes) + ahead
        changes = some_changes(self._chance)
        self._add({"type": "steer", "from_keyframe": start, "changes": changes})

    def _plan(self) -> None:
        self._steer(self._chance.randrange(3))

    def _drop(self) -> None:
        start = len(self.history.keyframes)
        self.history.drop_steering(start)
        self.records = [each for each in self.records if each.get("from_keyframe") != start]

    def _mark(self) -> None:
        if self.history.keyframes:
            stored = self._chance.choice(self.history.keyframes)
            note = self._chance.choice(["", "here"])
            self._add(
                {"type": "mark", "keyframe": stored.keyframe, "take": stored.take, "note": note}
            )

    def _take_back(self) -> None:
        history, keyframe = self.history, self._chance.randint(1, len(self.history.keyframes) + 1)
        decide = (
            lambda: rewound(history, keyframe),
            lambda: rerolled(history, keyframe, some_changes(self._chance)),
            lambda: choosing(history, keyframe, self._chance.randint(1, 3)),
        )
        try:
            rewind: Rewind = self._chance.choice(decide)()
        except (ProjectError, ValueError):
            return
        self._add(
            {"type": "rewind", "keyframe": rewind.keyframe, "takes": list(rewind.takes),
             "variation": rewind.variation, "changes": rewind.changes, "film_end": 0}
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_a_history_that_went_on_is_the_one_that_is_folded_anew(seed: int) -> None:
    written = Written(seed)
    for _ in range(60):
        written.step()
        now, anew = written.history, History(written.records)
        assert now.keyframes == anew.keyframes
        assert now.steering == anew.steering
        assert now.other_takes == anew.other_takes == now.other_takes_from(0)
        assert now.other_takes_from(3) == tuple(each for each in anew.other_takes if each[0] >= 3)
        assert now.marks == anew.marks
        assert now.marks_from(2) == tuple(each for each in anew.marks if each[0] >= 2)
        for keyframe in range(len(now.keyframes) + 3):
            expected, blend = replayed(anew.steering, keyframe)
            assert now.settings_at(SETTINGS, keyframe) == expected
            assert now.timeline.blend_at(SETTINGS, keyframe) == blend
            for stored in now.takes(keyframe):
                assert now.settings_of(SETTINGS, stored) == anew.settings_of(SETTINGS, stored)


@pytest.mark.parametrize("seed", range(8))
def test_what_the_film_has_was_painted_with_what_counts_now(seed: int) -> None:
    """So that settings of its takes need no replay."""
    written = Written(seed)
    for _ in range(60):
        written.step()
        history = written.history
        for stored in history.keyframes:
            then = Timeline(history.counted_for(stored)).settings_at(SETTINGS, stored.keyframe)
            now = history.settings_at(SETTINGS, stored.keyframe)
            assert replace(then, keyframes=now.keyframes) == now  # that is of no keyframe
