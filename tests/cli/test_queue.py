"""`zoomtui queue`: what is added, listed, moved and taken out, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from renderer.queue.jobs import Queue, Turn
from tests.cli.processes import QUICK, Answer, settings_of, zoomtui, zoomtui_here

HERE = ("--queue", "films")


def queue(folder: Path, *arguments: str) -> Answer:
    ask = zoomtui if arguments[0] == "run" else zoomtui_here
    return ask("queue", *arguments, *HERE, cwd=folder)


def listed(folder: Path) -> list[tuple[str, str]]:
    rows = json.loads(queue(folder, "ls", "--json").out)
    return [(Path(row["project"]).name, row["state"]) for row in rows]


def test_what_render_takes_is_added_to_the_queues_own_folder(tmp_path: Path) -> None:
    answer = queue(tmp_path, "add", "a coral reef", *QUICK)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == "added films/a-coral-reef.zoom, seed 11\n"
    assert settings_of(tmp_path / "films" / "a-coral-reef.zoom").prompt == "a coral reef"
    again = queue(tmp_path, "add", "a coral reef", *QUICK, "--first")
    assert again.code == 0
    named = queue(tmp_path, "add", "a castle", *QUICK, "--out", "castle.zoom")
    assert named.code == 0
    assert (tmp_path / "castle.zoom" / "project.toml").is_file()
    assert listed(tmp_path) == [
        ("a-coral-reef-2.zoom", "waiting"),
        ("a-coral-reef.zoom", "waiting"),
        ("castle.zoom", "waiting"),
    ]
    said = queue(tmp_path, "ls")
    first = f"waiting   {tmp_path}/films/a-coral-reef-2.zoom  0/3 keyframes"
    assert said.lines[0].startswith(first)
    assert said.lines[-1] == "nothing begins them yet: run `zoomtui queue run`"


def test_the_users_own_queue_makes_projects_here(empty_state: Path, tmp_path: Path) -> None:
    assert zoomtui_here("queue", "ls", cwd=tmp_path).out.startswith("no jobs; `zoomtui queue add`")
    assert zoomtui_here("queue", "add", "sky", *QUICK, cwd=tmp_path).code == 0
    assert (tmp_path / "sky.zoom").is_dir()
    (job,) = Queue(empty_state / "zoomtui" / "queue").jobs()
    assert job.folder == tmp_path / "sky.zoom"


def test_a_list_of_films_is_added_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text('[[film]]\nprompt = ["a", "b"]\nseed = [1, 2]\n')
    (tmp_path / "bad.csv").write_text("prompt,size\na,64x64\nb,1x1\n")
    quick = [each for each in QUICK if each not in ("--seed", "11")]
    answer = queue(tmp_path, "add", "--from", "bad.csv", *quick)
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert answer.err.startswith("zoomtui: bad.csv, line 3: ")
    assert listed(tmp_path) == []
    assert not list(tmp_path.glob("**/*.zoom"))
    assert queue(tmp_path, "add", "--from", "good.toml", *quick).code == 0
    films = [tmp_path / "films" / name for name, _ in listed(tmp_path)]
    found = [(settings_of(film).prompt, settings_of(film).seed) for film in films]
    assert found == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]


def test_a_project_that_is_there_can_be_added_and_moved(
    rendered: tuple[Path, Answer], tmp_path: Path
) -> None:
    for name in "ab":
        shutil.copytree(rendered[0], tmp_path / f"{name}.zoom")
    answer = queue(tmp_path, "add", "--project", "a.zoom", "--project", "b.zoom")
    assert answer.lines == ["added a.zoom", "added b.zoom"]
    assert queue(tmp_path, "top", "b.zoom").code == 0
    assert queue(tmp_path, "hold", "a.zoom").code == 0
    assert listed(tmp_path) == [("b.zoom", "waiting"), ("a.zoom", "held")]
    assert queue(tmp_path, "release", "a.zoom").code == 0
    assert queue(tmp_path, "run", "--gpus", "cpu:1", "--until-empty").code == 0
    assert listed(tmp_path) == [("b.zoom", "done"), ("a.zoom", "done")]
    assert queue(tmp_path, "rm", "--done").code == 0
    assert listed(tmp_path) == []
    assert (tmp_path / "a.zoom" / "film.mp4").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("add",), 2, "nothing says what to paint"),
        (("add", "--from", "none.toml"), 2, "list none.toml can't be read"),
        (("add", "sky", "--from", "films.csv"), 2, "give one prompt or a list with --from"),
        (("add", "sky", "--painter", "texture", "--size", "1x1"), 2, "size"),
        (("add", "--project", "none.zoom"), 3, "none.zoom does not exist"),
        (("add", "--from", "films.csv", "--out", "x.zoom"), 3, "is another film's already"),
        (("rm",), 2, "say which"),
        (("rm", "none.zoom"), 3, "none.zoom is not in the queue"),
        (("top", "none.zoom"), 3, "none.zoom is not in the queue"),
        (("run", "--gpus", "many"), 2, "names no GPUs"),
        (("run", "--slice", "soon"), 2, "is no number of seconds"),
        (("run", "--slice", "-3"), 2, "--slice must be 0 seconds or more, not -3"),
        (("no-such-verb",), 2, "No such command"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(
    tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    (tmp_path / "films.csv").write_text("prompt,painter\na,texture\nb,texture\n")
    answer = queue(tmp_path, *arguments)
    assert (answer.code, answer.err.count("\n")) == (code, 1)
    assert words in answer.err
    assert "Traceback" not in answer.err
    assert not list(tmp_path.glob("**/*.zoom"))
    assert not list((tmp_path / "films").glob("*.json"))


def test_texts_from_outside_are_not_interpreted(tmp_path: Path) -> None:
    strange = tmp_path / "[bold]\x1b[31mred.zoom"
    assert queue(tmp_path, "add", "sky", *QUICK, "--out", strange.name).code == 0
    jobs = Queue(tmp_path / "films")
    jobs.update(jobs.find(strange), turn=Turn.FAILED, why="\x1b]0;title\x07")
    said = queue(tmp_path, "ls").out
    assert "[bold]" in said
    assert "\x1b" not in said
