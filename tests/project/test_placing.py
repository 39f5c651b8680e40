"""Pictures of the user's own in real projects: placed before, on the way, kept and taken out."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from renderer.engine.events import Event, KeyframeStarted, Note
from renderer.engine.session import Session
from renderer.errors import ProjectError, SettingsError, StorageError
from renderer.images import Picture
from renderer.painting.geometry import Geometry
from renderer.project.copy import branch_project, copy_project
from renderer.project.create import create_project
from renderer.project.history import Placed
from renderer.project.placing import read_for_canvas, store_placed
from renderer.project.project import Project
from renderer.project.records import PLACED, placed_path, read_history
from renderer.project.repair import damage, find_rescue, repair
from renderer.project.rewinding import rerolled, rewound
from renderer.project.verify import verify
from tests.engine.runs import digest, of, project, render, small
from tests.faults import BY_KIND, POINTS, Disk, failing, sweep
from tests.project.damages import contents

COUNT = 5
SETTINGS = small(painter="texture", keyframes=COUNT)


def ignore(done: int, total: int) -> None:
    """Progress that the test does not look at."""


@pytest.fixture
def castle(tmp_path: Path) -> Path:
    """A picture from elsewhere, wider than the film."""
    rows = np.linspace(0, 255, 200)[:, None, None]
    picture = np.broadcast_to(rows, (200, 300, 3)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "castle.png")
    return tmp_path / "castle.png"


def place(folder: Path, keyframe: int, picture: Picture) -> Placed:
    with Project.open(folder) as opened:
        placed = store_placed(folder, keyframe, picture)
        opened.show_placed(placed)
    return placed


def shown(folder: Path, keyframe: int) -> Picture:
    with Project.open(folder) as opened:
        return opened.load_keyframe(keyframe)


def assert_shows(folder: Path, keyframe: int, picture: Picture) -> None:
    """The picture lies around what comes before, pixel for pixel at the rim."""
    canvas = shown(folder, keyframe)
    for turned, other in ((canvas, picture), (np.rot90(canvas), np.rot90(picture))):
        assert np.array_equal(turned[0], other[0])
        assert np.array_equal(turned[-1], other[-1])
    with Project.open(folder) as opened:
        known = Geometry.of(opened.settings).known
    assert not np.array_equal(canvas[known.rows, known.columns], picture[known.rows, known.columns])


def test_a_film_goes_through_the_pictures_that_it_was_made_with(
    castle: Path, tmp_path: Path
) -> None:
    picture = read_for_canvas(castle, SETTINGS)
    films = []
    for name in "ab":
        folder = tmp_path / f"{name}.zoom"
        create_project(folder, SETTINGS, places=[(2, picture), (COUNT - 1, picture)])
        render(folder)
        films.append(digest(folder))
    for keyframe in (2, COUNT - 1):
        assert_shows(folder, keyframe, picture)
    assert films[0] == films[1]
    with Project.open(folder) as opened:
        opened.rewind(rewound(opened.history, 1))
    render(folder)
    assert digest(folder) == films[0]
    assert verify(folder, ignore) == []


def test_a_picture_is_placed_while_it_renders_but_only_ahead(castle: Path, tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    picture = read_for_canvas(castle, SETTINGS)
    complaints: list[str] = []
    events: list[Event] = []
    with Project.open(folder) as opened:

        def emit(event: Event) -> None:
            events.append(event)
            if isinstance(event, KeyframeStarted) and event.keyframe == 2:
                with pytest.raises(ProjectError) as told:
                    session.place(store_placed(folder, 2, picture))
                complaints.append(str(told.value))
                session.place(store_placed(folder, 4, picture))

        session = Session(opened, emit)
        session.run()
    assert complaints == ["keyframe 3 is begun already; `zoomtui rewind` takes it back"]
    assert "keyframe 5 will show a picture of your own" in [each.text for each in of(events, Note)]
    assert_shows(folder, 4, picture)
    Project.open(folder).close()  # the refused one's file goes
    assert [path.name[:6] for path in (folder / PLACED).iterdir()] == ["000004"]


def test_another_picture_takes_its_place_and_none_paints_as_before(
    castle: Path, tmp_path: Path
) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    plain = shutil.copytree(folder, tmp_path / "plain.zoom")
    render(plain)
    picture = read_for_canvas(castle, SETTINGS)
    first = place(folder, 3, picture)
    second = place(folder, 3, picture[::-1].copy())
    Project.open(folder).close()
    assert not placed_path(folder, first).exists()
    assert placed_path(folder, second).exists()
    with Project.open(folder) as opened:
        opened.show_placed(Placed(3, 0, 0))
    render(folder)
    assert digest(folder) == digest(plain)
    assert list((folder / PLACED).iterdir()) == []


def test_a_reroll_paints_another_band_around_the_same_picture(castle: Path, tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:gradient", keyframes=COUNT)
    picture = read_for_canvas(castle, SETTINGS)
    place(folder, 2, picture)
    render(folder)
    with Project.open(folder) as opened:
        opened.rewind(rerolled(opened.history, 2, {}))
    render(folder)
    one, two = read_history(folder).takes(2)
    assert one.seed != two.seed
    assert_shows(folder, 2, picture)


def test_copies_branches_and_repairs_keep_what_is_placed(castle: Path, tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    picture = read_for_canvas(castle, SETTINGS)
    place(folder, 1, picture)
    place(folder, 4, picture)
    copy_project(folder, tmp_path / "copy.zoom", ignore)
    render(folder)
    whole = digest(folder)
    branch_project(folder, tmp_path / "branch.zoom", 2, {}, ignore)
    assert list(read_history(tmp_path / "branch.zoom").placed) == [4]
    with (tmp_path / "copy.zoom" / "journal.jsonl").open("ab") as journal:
        journal.write(b"?\n?\n" + b'["00000000",{}]\n' * 3)
    assert damage(tmp_path / "copy.zoom")
    repair(tmp_path / "copy.zoom", find_rescue(tmp_path / "copy.zoom", ignore))
    for name in ("copy", "branch"):
        render(tmp_path / f"{name}.zoom")
        assert digest(tmp_path / f"{name}.zoom") == whole


def test_what_can_not_be_placed_is_refused(castle: Path, tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    picture = read_for_canvas(castle, SETTINGS)
    render(folder)
    before = contents(folder)
    with Project.open(folder) as opened:
        for keyframe, complaint in ((0, "--image"), (3, "keyframe 4 is painted already")):
            with pytest.raises(ProjectError, match=complaint):
                opened.show_placed(Placed(keyframe, 5, 5))
        with pytest.raises(ProjectError, match="can't be read"):
            opened.show_placed(Placed(COUNT + 2, 5, 5))
    assert contents(folder) == before
    Image.fromarray(picture).save(tmp_path / "small.png")
    with pytest.raises(SettingsError, match=r"96x96, too small .*: at least 192x192, and 384x384"):
        read_for_canvas(tmp_path / "small.png", small(keyframe_size=(256, 256)))


def test_a_placed_picture_that_is_damaged_stops_the_render_in_a_line(
    castle: Path, tmp_path: Path
) -> None:
    folder = project(tmp_path / "a.zoom", painter="texture", keyframes=COUNT)
    placed = place(folder, 2, read_for_canvas(castle, SETTINGS))
    path = placed_path(folder, placed)
    path.write_bytes(path.read_bytes()[:-20])
    events: list[Event] = []
    with Project.open(folder) as opened:
        last = Session(opened, events.append).run()
    assert getattr(last, "exit_code", 0) == ProjectError.exit_code
    assert str(path) in getattr(last, "message", "")


@POINTS
@BY_KIND
def test_a_picture_is_placed_or_not_whatever_the_disk_does(
    castle: Path, tmp_path: Path, kind: str, few: int | None
) -> None:
    picture = read_for_canvas(castle, SETTINGS)
    without = project(tmp_path / "without.zoom", keyframes=3)
    shutil.copytree(without, tmp_path / "with.zoom")
    place(tmp_path / "with.zoom", 1, picture)
    films = []
    for name in ("without", "with"):
        render(tmp_path / f"{name}.zoom")
        films.append(digest(tmp_path / f"{name}.zoom"))

    def make(folder: Path) -> Path:
        return project(folder, keyframes=3)

    def trial(folder: Path, disk: Disk) -> None:
        with failing(disk), suppress(StorageError):
            place(folder, 1, picture)

    def check(folder: Path) -> None:
        render(folder)
        there = [placed_path(folder, each) for each in read_history(folder).placed.values()]
        left = [*(folder / PLACED).iterdir()] if (folder / PLACED).is_dir() else []
        assert left == there
        assert digest(folder) == films[len(there)]
        assert verify(folder, ignore) == []

    tried = sweep(kind, few, make, trial, check, tmp_path)
    assert tried.total() >= (few or 8)
