"""Keyframes taken back, painted anew, chosen again: on real projects, rendered to the end."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import pytest

from renderer.errors import ProjectError, SettingsError, StorageError
from renderer.export.of_project import ExportOptions, export, plan_export
from renderer.film.decode import decoded_frames
from renderer.film.records import records_of_film
from renderer.film.store import FilmStore
from renderer.journal import read_journal
from renderer.project.copy import branch_project, copy_project
from renderer.project.project import Project
from renderer.project.records import (
    FILM,
    JOURNAL,
    KEYFRAMES,
    path_of,
    read_history,
    read_records,
    read_settings,
)
from renderer.project.repair import damage, find_rescue, repair
from renderer.project.rewinding import choosing, rerolled, rewound
from renderer.project.thinning import kept_takes, prune
from renderer.project.verify import not_rewound, verify
from tests.engine.runs import ROOT, assert_playable, digest, project, render, steer, stop_at
from tests.faults import BY_KIND, POINTS, Disk, failing, sweep
from tests.marks import slower
from tests.project.damages import contents

COUNT = 8
FRAMES = (COUNT - 1) * 5 + 1
FILM_SETTINGS: dict[str, Any] = {"painter": "texture", "keyframes": COUNT}


def ignore(done: int, total: int) -> None:
    """Progress that the test does not look at."""


def takes(folder: Path) -> list[int]:
    return [stored.take for stored in read_history(folder).keyframes]


def rewind(folder: Path, keyframe: int) -> None:
    with Project.open(folder) as opened:
        opened.rewind(rewound(opened.history, keyframe))


def reroll(folder: Path, keyframe: int, **changes: Any) -> None:
    with Project.open(folder) as opened:
        opened.rewind(rerolled(opened.history, keyframe, changes))


def choose(folder: Path, keyframe: int, take: int) -> None:
    with Project.open(folder) as opened:
        opened.rewind(choosing(opened.history, keyframe, take))


def undo(folder: Path) -> None:
    with Project.open(folder) as opened:
        opened.undo_rewind()


def assert_sound(folder: Path) -> None:
    """Nothing is damaged, no file is without a record, no record without a file."""
    assert verify(folder, ignore, decode=decoded_frames) == []
    history = read_history(folder)
    recorded = {path_of(folder, each) for each in (*history.keyframes, *history.not_chosen())}
    assert set((folder / KEYFRAMES).iterdir()) == recorded


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished film whose steps change on the way."""
    folder = project(tmp_path_factory.mktemp("whole") / "a.zoom", **FILM_SETTINGS)
    with Project.open(folder) as opened:
        opened.steer({"candidates": 2}, 5)
    render(folder)
    return folder


@pytest.fixture(scope="module")
def rerolled_once(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with a second take of keyframe 4 and all after it."""
    folder = shutil.copytree(whole, tmp_path_factory.mktemp("rerolled") / "a.zoom")
    reroll(folder, 4)
    render(folder)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "a.zoom")


@pytest.fixture
def second(rerolled_once: Path, tmp_path: Path) -> Path:
    return shutil.copytree(rerolled_once, tmp_path / "second.zoom")


@pytest.mark.parametrize("keyframe", [1, 4, 7, *slower([2, 3, 5, 6])])
def test_a_film_that_is_rewound_and_goes_on_unchanged_is_the_same(
    whole: Path, copy: Path, keyframe: int
) -> None:
    rewind(copy, keyframe)
    assert takes(copy) == [1] * keyframe
    if keyframe > 1:
        assert_playable(copy, frames=(keyframe - 1) * 5)
        listed = (copy / "watch.m3u8").read_text()
        assert listed.count("#EXTINF") == keyframe - 1
        assert "ENDLIST" not in listed
    else:
        assert not (copy / "watch.m3u8").exists()
    assert_sound(copy)
    render(copy)
    assert digest(copy) == digest(whole)
    assert takes(copy) == [1] * keyframe + [2] * (COUNT - keyframe)
    assert_sound(copy)


def test_a_film_that_runs_inward_as_well_is_the_same_after_a_rewind(tmp_path: Path) -> None:
    """Its file that runs inward is made from keyframes, at the end."""
    folder = project(tmp_path / "a.zoom", direction="in", keyframes=4)
    render(folder)
    before = digest(folder)
    rewind(folder, 2)
    render(folder)
    assert digest(folder) == before


def test_a_film_that_was_stopped_is_rewound_too(whole: Path, tmp_path: Path) -> None:
    from renderer.engine.events import Event, SegmentWritten

    def third(event: Event) -> bool:
        return isinstance(event, SegmentWritten) and event.segment == 2

    folder = project(tmp_path / "a.zoom", **FILM_SETTINGS)
    with Project.open(folder) as opened:
        opened.steer({"candidates": 2}, 5)
    stop_at(folder, third)
    rewind(folder, 2)
    render(folder)
    assert digest(folder) == digest(whole)


def test_a_reroll_is_another_picture_and_the_same_one_every_time(
    whole: Path, copy: Path, rerolled_once: Path
) -> None:
    reroll(copy, 4)
    render(copy)
    assert digest(copy) == digest(rerolled_once) != digest(whole)
    assert takes(copy) == [1, 1, 1, 1, 2, 2, 2, 2]
    one, two = read_history(copy).takes(4)
    assert one.seed != two.seed
    assert (one.variation, two.variation) == (0, 1)
    rewind(copy, 2)  # what was rerolled stays so
    render(copy)
    assert digest(copy) == digest(rerolled_once)
    reroll(copy, 4)
    render(copy)
    assert read_history(copy).keyframes[4].variation == 2
    assert digest(copy) not in (digest(rerolled_once), digest(whole))
    assert_sound(copy)


def test_a_take_that_is_chosen_again_brings_back_what_was_painted_around_it(
    whole: Path, second: Path, rerolled_once: Path
) -> None:
    choose(second, 4, 1)
    assert takes(second) == [1] * COUNT
    assert_playable(second, frames=15)
    assert_sound(second)
    render(second)
    assert digest(second) == digest(whole)
    choose(second, 4, 2)
    render(second)
    assert digest(second) == digest(rerolled_once)
    assert takes(second) == [1, 1, 1, 1, 2, 2, 2, 2]


def test_settings_go_with_the_takes_that_were_painted_by_them(whole: Path, copy: Path) -> None:
    reroll(copy, 3, prompt="a cave", seed=5)
    with Project.open(copy) as opened:
        assert opened.current.prompt == "a cave"
    render(copy)
    second = digest(copy)
    with Project.open(copy) as opened:
        assert opened.settings_at(COUNT).seed == 5
        opened.rewind(choosing(opened.history, 3, 1))
        assert (opened.settings_at(COUNT).prompt, opened.settings_at(COUNT).seed) == ("", 11)
        assert opened.settings_at(5).candidates == 2
        one, two = opened.history.takes(3)
        found = [opened.history.settings_of(opened.settings, each).prompt for each in (one, two)]
        assert found == ["", "a cave"]
    render(copy)
    assert digest(copy) == digest(whole)
    choose(copy, 3, 2)
    with Project.open(copy) as opened:
        assert opened.settings_at(COUNT).seed == 5
    render(copy)
    assert digest(copy) == second


def test_how_long_a_film_is_to_be_does_not_go_with_its_keyframes(copy: Path) -> None:
    def total() -> int | None:
        with Project.open(copy) as opened:
            return opened.current.keyframes

    steer(copy, keyframes=COUNT + 2)
    rewind(copy, 2)
    assert total() == COUNT + 2
    steer(copy, keyframes=COUNT + 1, stop_when=["time>07:00"])
    render(copy)
    assert takes(copy) == [1, 1, *[2] * (COUNT - 2), 1]
    steer(copy, keyframes=COUNT + 4)
    choose(copy, 2, 1)  # from before all that
    assert total() == COUNT + 4
    assert read_history(copy).settings_at(read_settings(copy), 0).stop_when == ("time>07:00",)


def test_a_length_is_undone_also_where_a_take_was_chosen_since(second: Path) -> None:
    steer(second, keyframes=COUNT + 2)
    with Project.open(second) as opened:
        opened.rewind(choosing(opened.history, 4, 1))
        assert opened.current.keyframes == COUNT + 2
        assert opened.drop_steering(COUNT)
        assert opened.current.keyframes == COUNT
    with Project.open(second) as opened:
        assert opened.current.keyframes == COUNT


def test_what_was_taken_back_last_can_be_brought_back(whole: Path, copy: Path) -> None:
    rewind(copy, 6)
    reroll(copy, 3, prompt="a cave")
    undo(copy)
    assert takes(copy) == [1] * 6
    undo(copy)
    assert takes(copy) == [1] * COUNT
    with Project.open(copy) as opened:
        assert opened.settings_at(COUNT).prompt == ""
    with pytest.raises(ProjectError, match="nothing to undo"):
        undo(copy)
    assert_sound(copy)
    render(copy)
    assert digest(copy) == digest(whole)


def test_a_choice_is_undone_even_when_it_is_filmed_already(
    second: Path, rerolled_once: Path
) -> None:
    choose(second, 4, 1)
    render(second)
    undo(second)
    assert takes(second) == [1, 1, 1, 1, 2, 2, 2, 2]
    assert_sound(second)
    render(second)
    assert digest(second) == digest(rerolled_once)


def test_nothing_is_undone_once_something_is_painted(copy: Path) -> None:
    rewind(copy, 6)
    render(copy)
    with pytest.raises(ProjectError, match="nothing to undo"):
        undo(copy)


def test_what_can_not_be_taken_back_is_refused(second: Path) -> None:
    before = contents(second)
    for keyframe, complaint in ((0, "first picture"), (8, "keyframes 1 to 8"), (-1, "not painted")):
        for decide in (rewind, reroll):
            with pytest.raises(ProjectError, match=complaint):
                decide(second, keyframe)
    with pytest.raises(ProjectError, match="no take 3; its takes: 1, 2"):
        choose(second, 4, 3)
    with pytest.raises(ProjectError, match="is in the film already"):
        choose(second, 4, 2)
    with pytest.raises(ProjectError, match="around take 1 of keyframe 5, which is not in the film"):
        choose(second, 5, 1)
    with pytest.raises(ProjectError, match="keyframes can't be 3: 4 are painted"):
        reroll(second, 4, keyframes=3)
    path_of(second, read_history(second).takes(6)[0]).unlink()
    del before[f"{KEYFRAMES}/000006.png"]
    with pytest.raises(ProjectError, match=r"000006\.png can't be read"):
        choose(second, 4, 1)
    assert contents(second) == before


def test_pruned_takes_are_gone_and_their_numbers_are_not_given_again(second: Path) -> None:
    before = digest(second)
    kept = kept_takes(second, read_history(second))
    assert [(each.keyframe, each.take) for each in kept] == [(k, 1) for k in range(4, 8)]
    prune(second, kept)
    assert kept_takes(second, read_history(second)) == []
    assert verify(second, ignore) == []
    assert damage(second) == ""
    reroll(second, 7)
    render(second)
    assert takes(second) == [1, 1, 1, 1, 2, 2, 2, 3]
    assert digest(second) != before


def test_a_copy_has_all_takes(second: Path, whole: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.zoom"
    copy_project(second, new, ignore)
    assert digest(new) == digest(second)
    assert_sound(new)
    choose(new, 4, 1)
    render(new)
    assert digest(new) == digest(whole)


# ----------------------------------------------------------------------------------- damage


def without_record(folder: Path, number: int) -> None:
    lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
    (folder / JOURNAL).write_bytes(b"".join((*lines[:number], b"?\n", *lines[number + 1 :])))


def test_a_repair_keeps_all_takes(second: Path, rerolled_once: Path, whole: Path) -> None:
    kinds = [record["type"] for record in read_journal(second / JOURNAL)]
    for number in (kinds.index("rewind"), len(kinds) - 3, 0):
        without_record(second, number)
    assert damage(second)
    repair(second, find_rescue(second, ignore))
    assert damage(second) == ""
    assert takes(second) == [1, 1, 1, 1, 2, 2, 2, 2]
    assert digest(second) == digest(rerolled_once)
    choose(second, 4, 1)
    render(second)
    assert digest(second) == digest(whole)


def test_a_repair_keeps_what_is_to_be_painted_differently(copy: Path, rerolled_once: Path) -> None:
    reroll(copy, 4)
    with (copy / JOURNAL).open("ab") as journal:
        journal.write(b"?\n?\n" * 3)
    without_record(copy, 3)
    assert damage(copy)
    repair(copy, find_rescue(copy, ignore))
    render(copy)
    assert digest(copy) == digest(rerolled_once)


def test_nothing_needs_repair_after_all_that(second: Path) -> None:
    choose(second, 4, 1)
    rewind(second, 2)
    assert damage(second) == ""
    assert not find_rescue(second, ignore).loses


# ----------------------------------------------------------------------------------- faults


@POINTS
@BY_KIND
def test_a_rewind_counts_or_does_not_whatever_the_disk_does(
    rerolled_once: Path, whole: Path, tmp_path: Path, kind: str, few: int | None
) -> None:
    def make(folder: Path) -> Path:
        return shutil.copytree(rerolled_once, folder)

    def trial(folder: Path, disk: Disk) -> None:
        with failing(disk), suppress(StorageError):
            choose(folder, 4, 1)
            undo(folder)
            choose(folder, 4, 1)
            rewind(folder, 3)

    def check(folder: Path) -> None:
        now = takes(folder)
        assert now in ([1, 1, 1, 1, 2, 2, 2, 2], [1] * COUNT, [1, 1, 1])
        render(folder)
        assert digest(folder) == digest(whole if now == [1] * COUNT else rerolled_once) or (
            now == [1, 1, 1] and digest(folder) == digest(whole)
        )
        assert_sound(folder)

    tried = sweep(kind, few, make, trial, check, tmp_path)
    assert tried.total() >= (few or 15)


def test_a_project_is_let_go_of_where_its_film_can_not_be_cut(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(store: FilmStore) -> bool:
        if store._rewound:
            raise StorageError("the disk fails")
        return False

    with monkeypatch.context() as disk:
        disk.setattr(FilmStore, "cut", broken)
        with pytest.raises(StorageError, match="the disk fails"):
            rewind(copy, 3)
    assert takes(copy) == [1] * 3
    with Project.open(copy) as opened:  # which cuts it
        assert opened.store.size == (copy / FILM).stat().st_size


KILLED = """
import random, sys
from pathlib import Path
from renderer.errors import ProjectError
from renderer.project.project import Project
from renderer.project.rewinding import choosing, rewound
folder, rng = Path(sys.argv[1]), random.Random(int(sys.argv[2]))
def chain(history):
    return [stored.take for stored in history.keyframes]
with Project.open(folder) as opened:
    while True:
        history, count = opened.history, len(opened.history.keyframes)
        every = [(k, stored.take) for k in range(1, 8) for stored in history.takes(k)]
        try:
            if rng.random() < 0.4:
                rewind = rewound(history, rng.randrange(count))
            else:
                rewind = choosing(history, *rng.choice(every))
        except ProjectError:
            continue
        after = chain(history)[: rewind.keyframe] + list(rewind.takes)
        # In one write, which a kill cannot tear: print writes piece by piece where Python is told
        # not to buffer.
        sys.stdout.write(f"{chain(history)};{after}\\n")
        sys.stdout.flush()
        opened.rewind(rewind)
"""


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.soak)])
def test_a_kill_leaves_the_film_before_or_the_film_after(second: Path, kills: int) -> None:
    rng = random.Random(18)
    files = set((second / KEYFRAMES).iterdir())
    for kill in range(kills):
        command = [sys.executable, "-c", KILLED, str(second), str(kill)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as running:
            assert running.stdout is not None
            lines = [running.stdout.readline() for _ in range(rng.randrange(1, 12))]
            with suppress(subprocess.TimeoutExpired):
                running.wait(rng.random() * 0.004)
            running.kill()
            lines += running.stdout.readlines()
        assert running.returncode == -signal.SIGKILL
        before, after = lines[-1].strip().split(";")
        Project.open(second).close()
        assert str(takes(second)) in (before, after)
        assert set((second / KEYFRAMES).iterdir()) == files
        if (second / FILM).stat().st_size and len(takes(second)) > 1:
            assert_playable(second)
        assert verify(second, ignore) == []
    render(second)
    assert_playable(second, frames=FRAMES)
    assert_sound(second)


# ------------------------------------------------------------------------------------ marks


def marks(folder: Path) -> tuple[tuple[int, str], ...]:
    return read_history(folder).marks


def mark(folder: Path, keyframe: int, note: str) -> None:
    with Project.open(folder) as opened:
        opened.mark(keyframe, note)


def test_a_mark_belongs_to_the_take_that_it_was_made_for(second: Path, tmp_path: Path) -> None:
    mark(second, 2, "the castle")
    mark(second, 5, "[red]night[/red] \x1b[31m")
    assert marks(second) == ((2, "the castle"), (5, "[red]night[/red] \x1b[31m"))
    choose(second, 4, 1)
    assert marks(second) == ((2, "the castle"),)
    mark(second, 6, "another sky")
    branch_project(second, tmp_path / "b.zoom", 4, {}, ignore)
    assert marks(tmp_path / "b.zoom") == ((2, "the castle"),)
    undo(second)
    assert marks(second) == ((2, "the castle"), (5, "[red]night[/red] \x1b[31m"))
    mark(second, 2, "")
    assert marks(second) == ((5, "[red]night[/red] \x1b[31m"),)
    without_record(second, 4)
    repair(second, find_rescue(second, ignore))
    assert marks(second) == ((5, "[red]night[/red] \x1b[31m"),)
    choose(second, 4, 1)
    assert marks(second) == ((6, "another sky"),)


def test_what_can_not_be_marked_is_refused(copy: Path) -> None:
    before = contents(copy)
    with pytest.raises(ProjectError, match="keyframe 9 is not painted"):
        mark(copy, COUNT, "x")
    for note in ("x" * 201, "two\nlines"):
        with pytest.raises(SettingsError, match="one line of at most 200 characters"):
            mark(copy, 2, note)
    mark(copy, 2, "")
    assert contents(copy) == before


# ---------------------------------------------------------------------------------- exports


def exported(folder: Path, out: Path, rewind_to: int | None = None, **options: Any) -> int:
    """Export; ``rewind_to``: while that reads. Frames of what comes out."""
    plan = plan_export(folder, str(out), ExportOptions(**options))

    def on_progress(done: int, total: int) -> None:
        if rewind_to is not None and len(takes(folder)) > rewind_to:
            rewind(folder, rewind_to)

    export(plan, on_progress)
    with av.open(str(out)) as film:
        return sum(1 for _ in film.decode(video=0))


def test_exports_are_of_the_takes_that_the_film_has(
    whole: Path, second: Path, tmp_path: Path
) -> None:
    mark(second, 2, "the castle")
    mark(second, 5, "the night")
    choose(second, 4, 1)
    render(second)
    assert exported(second, tmp_path / "a.mp4") == FRAMES
    with av.open(str(tmp_path / "a.mp4")) as film:
        assert [each["metadata"]["title"] for each in film.chapters()] == ["", "the castle"]
    for name, folder in (("a", second), ("b", whole)):
        exported(folder, tmp_path / f"{name}.mkv", crf=0)
    one, two = (
        [frame.to_ndarray() for frame in av.open(str(tmp_path / f"{name}.mkv")).decode(video=0)]
        for name in "ab"
    )
    assert all((a == b).all() for a, b in zip(one, two, strict=True))


def test_an_export_that_paints_its_frames_finishes_from_what_it_has(
    copy: Path, tmp_path: Path
) -> None:
    assert exported(copy, tmp_path / "a.mp4", rewind_to=2, crf=20) == FRAMES
    assert takes(copy) == [1, 1]


def test_what_copies_the_film_itself_says_that_it_was_rewound_meanwhile(copy: Path) -> None:
    records = records_of_film(read_records(copy))
    with (
        pytest.raises(ProjectError, match="was rewound meanwhile"),
        not_rewound(copy / FILM, records),
    ):
        rewind(copy, 2)
    records = records_of_film(read_records(copy))
    with not_rewound(copy / FILM, records):
        render(copy)  # what has come since is no harm
