"""The project folder: made whole or not at all; one clear line for whatever is wrong with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from renderer.errors import ProjectError, SettingsError, StorageError
from renderer.images import read_provenance
from renderer.project import registry
from renderer.project.create import create_project, discard_unpainted, refuse_occupied
from renderer.project.project import Project
from renderer.project.records import (
    EXEMPLAR,
    FILM,
    JOURNAL,
    SETTINGS,
    keyframe_path,
    read_settings,
)
from renderer.project.status import read_status
from tests.engine.runs import SIDE, project, render, small, steer


def picture(seed: int = 1) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def change(folder: Path, old: str, new: str) -> None:
    path = folder / SETTINGS
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# -------------------------------------------------------------------------------- making one


def test_a_new_project_holds_its_settings_and_nothing_else(tmp_path: Path) -> None:
    folder = project(tmp_path / "deep" / "a.zoom", prompt='Ærø, ‮ "quoted" \\ 🌀\ttab\nline')
    assert sorted(path.name for path in folder.iterdir()) == [
        "exports",
        "journal.jsonl",
        "keyframes",
        "project.toml",
    ]
    assert read_settings(folder).prompt == 'Ærø, ‮ "quoted" \\ 🌀\ttab\nline'
    assert [path.name for path in folder.parent.iterdir()] == ["a.zoom"]


def test_an_empty_folder_may_become_a_project(tmp_path: Path) -> None:
    (tmp_path / "a.zoom").mkdir()
    project(tmp_path / "a.zoom")
    render(tmp_path / "a.zoom")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: project(folder), "is a project already: `zoomtui resume "),
        (lambda folder: folder.write_text("x"), "is a file; choose another --out"),
        (lambda folder: (folder / "x").mkdir(parents=True), "exists and is not a zoomtui project"),
    ],
)
def test_what_is_there_already_is_never_touched(tmp_path: Path, make, message: str) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "a.zoom"
    make(folder)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ProjectError, match=message):
        refuse_occupied(folder)
    with pytest.raises(ProjectError, match=message):
        project(folder)
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_half_made_is_left_behind(tmp_path: Path) -> None:
    exemplar = tmp_path / "exemplar.png"
    exemplar.write_text("no picture")
    with pytest.raises(SettingsError, match=r"exemplar\.png can't be read"):
        create_project(tmp_path / "a.zoom", small(painter="texture"), exemplar=exemplar)
    assert [path.name for path in tmp_path.iterdir()] == ["exemplar.png"]


def test_a_folder_that_can_not_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="Not a directory") as caught:
        project(tmp_path / "file" / "a.zoom")
    assert "\n" not in str(caught.value)


def test_an_exemplar_is_copied_so_that_the_project_needs_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "exemplar.jpg"
    Image.fromarray(np.repeat(np.repeat(picture(), 3, 0), 3, 1)).save(source, quality=95)
    folder = tmp_path / "a.zoom"
    create_project(folder, small(painter="texture"), exemplar=source)
    source.unlink()
    assert (folder / EXEMPLAR).exists()
    moved = folder.rename(tmp_path / "moved.zoom")
    render(moved)


def test_a_given_first_picture_is_the_texture_painters_exemplar(tmp_path: Path) -> None:
    folder = tmp_path / "a.zoom"
    create_project(folder, small(painter="texture"), picture=picture())
    assert read_settings(folder).exemplar == "keyframes/000000.png"
    assert read_provenance(keyframe_path(folder, 0))["painter"] == "given"
    render(folder)


# ------------------------------------------------------------------------------ opening one


def test_a_typo_in_project_toml_is_named_with_the_nearest_key(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    change(folder, "zoom_factor", "zoom_facter")
    for look in (read_settings, Project.open, read_status):
        with pytest.raises(SettingsError) as caught:
            look(folder)
        assert str(caught.value) == (
            f"{folder / SETTINGS}: unknown key 'zoom_facter'; did you mean 'zoom_factor'?"
        )


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("schema = 1", "schema = 2", ProjectError, "newer zoomtui .schema 2, this one knows 1."),
        ("schema = 1", "", ProjectError, "no schema number"),
        ("zoom_factor = 1.5", "zoom_factor = 1.0", SettingsError, "zoom_factor must be above 1"),
        ("zoom_factor = 1.5", "zoom_factor = nan", SettingsError, "zoom_factor must be above 1"),
        ("zoom_factor = 1.5", "zoom_factor = '2'", SettingsError, "zoom_factor can't be '2'"),
        ("seed = 11", "seed = -1", SettingsError, "seed must be 0 to"),
        ("seed = 11", "seed = ", ProjectError, "is not valid TOML: .*line "),
        ('size = "64x64"\nfps', 'size = "64x65"\nfps', SettingsError, "odd side"),
        ('size = "64x64"\nfps', "size = 64\nfps", SettingsError, "size can't be 64"),
        ('fps = "30"', 'fps = "1/0"', SettingsError, "fps must be a number, .*, not '1/0'"),
    ],
)
def test_a_hand_edited_project_is_refused_in_one_line(
    tmp_path: Path, old: str, new: str, error: type[Exception], message: str
) -> None:
    folder = project(tmp_path / "a.zoom")
    change(folder, old, new)
    with pytest.raises(error, match=message) as caught:
        Project.open(folder)
    assert str(caught.value).startswith(str(folder / SETTINGS))
    assert "\n" not in str(caught.value)


def test_other_folders_are_no_projects(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder, message in [
        (tmp_path / "missing", "does not exist; a project is a folder made by"),
        (tmp_path / "file", "is not a folder; a project is a folder made by"),
        (tmp_path, "is not a zoomtui project: it has no project.toml"),
    ]:
        with pytest.raises(ProjectError, match=message):
            Project.open(folder)


def test_settings_that_are_no_text_are_refused(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    (folder / SETTINGS).write_bytes(b"\xff\xfe")
    with pytest.raises(ProjectError, match="is not UTF-8 text"):
        Project.open(folder)


def test_a_project_without_its_journal_is_refused(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    (folder / JOURNAL).unlink()
    with pytest.raises(ProjectError, match=r"can't read the journal .*No such file"):
        Project.open(folder)


def test_a_journal_damaged_in_its_middle_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    content = bytearray((folder / JOURNAL).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / JOURNAL).write_bytes(content)
    for look in (Project.open, read_status):
        with pytest.raises(ProjectError, match=r"is damaged: line [0-9]+ can't be read, but line"):
            look(folder)
    assert (folder / JOURNAL).read_bytes() == content


def test_a_journal_whose_lines_are_missing_is_refused(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
    (folder / JOURNAL).write_bytes(b"".join(line for line in lines if b'"keyframe":1,' not in line))
    with pytest.raises(ProjectError, match="contradicts itself; nothing was changed"):
        Project.open(folder)


def test_a_project_that_can_not_be_opened_is_not_left_locked(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    film = (folder / "film.mp4").read_bytes()
    (folder / "film.mp4").write_bytes(film[: len(film) // 3] + bytes(len(film)))
    handles = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(ProjectError, match="more than its last segment can't be read back"):
            Project.open(folder)
    assert len(list(Path("/proc/self/fd").iterdir())) == handles
    (folder / "film.mp4").write_bytes(film)
    Project.open(folder).close()


# -------------------------------------------------------------------------------- steering


def test_what_the_film_depends_on_is_fixed(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    for key, value, fixed in [
        ("zoom_factor", 2.0, "1.5"),
        ("size", "128x128", "64x64"),
        ("fps", "25", "30"),
        ("crf", 30, "default"),
        ("threads", 2, "1"),
    ]:
        with pytest.raises(ProjectError, match=f"^{key} is fixed at {fixed} since "):
            steer(folder, **{key: value})


def test_the_same_values_again_are_no_change(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", prompt="sea")
    render(folder)
    before = (folder / JOURNAL).read_bytes()
    steer(folder, prompt="sea", zoom_factor=1.5, keyframes=4)
    assert (folder / JOURNAL).read_bytes() == before


def test_a_film_can_not_be_made_shorter_than_it_is(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", painter="tests.painters:failing", model="3")
    render(folder)
    with pytest.raises(ProjectError, match="3 are painted already"):
        steer(folder, keyframes=2)
    steer(folder, keyframes=3)
    render(folder)
    assert read_status(folder).frames == 11


def test_a_finished_film_takes_no_new_prompt_without_new_length(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    with pytest.raises(ProjectError, match="--keyframes 14 or --keyframes inf"):
        steer(folder, prompt="sky")
    steer(folder, prompt="sky", keyframes="inf")
    assert read_status(folder).total_keyframes is None
    assert read_status(folder).prompt == "sky"


def test_steering_that_can_not_be_changes_nothing(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    before = (folder / JOURNAL).read_bytes()
    for bad in ({"steps": 0}, {"stepz": 3}, {"prompt": 7}):
        with pytest.raises(SettingsError):
            steer(folder, **bad)
    assert (folder / JOURNAL).read_bytes() == before


# ------------------------------------------------------------------------------ keyframes


def test_a_project_in_which_nothing_was_painted_can_be_discarded(tmp_path: Path) -> None:
    unpainted = project(tmp_path / "a.zoom", painter="tests.painters:unloadable")
    render(unpainted)
    registry.remember(unpainted)
    assert discard_unpainted(unpainted)
    assert not unpainted.exists()
    assert unpainted not in registry.known()
    painted = project(tmp_path / "b.zoom")
    render(painted)
    assert not discard_unpainted(painted)
    assert painted.exists()


def test_keyframes_tell_how_they_were_made(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom", prompt="Ærø 🌀", seed=5)
    render(folder)
    made = read_provenance(keyframe_path(folder, 2))
    assert made["prompt"] == "Ærø 🌀"
    assert made["keyframe"] == 2
    assert made["painter"] == "tests.painters:gradient"
    with Project.open(folder) as opened:
        assert opened.keyframes[2].seed == made["seed"]
        assert opened.load_keyframe(0).shape == (SIDE, SIDE, 3)
        assert opened.load_keyframe(2).shape == (SIDE * 3 // 2, SIDE * 3 // 2, 3)


def test_settings_that_were_edited_by_hand_are_named(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    film = (folder / FILM).read_bytes()
    text = (folder / SETTINGS).read_text()
    (folder / SETTINGS).write_text(text.replace('fps = "30"', 'fps = "25"'))
    with pytest.raises(ProjectError, match="fps is '25', but was '30' when the project was made"):
        Project.open(folder)
    assert (folder / FILM).read_bytes() == film
