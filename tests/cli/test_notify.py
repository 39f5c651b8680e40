"""Messages of whole renders, as users ask for them: --on-event, --notify, --metrics, `notify`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from renderer.children import python_module
from renderer.project.recipients import (
    NOTIFY,
    ON_EVENT,
    Recipients,
    command_of,
    keep,
    recipients_of,
)
from renderer.service.launch import launch
from tests.cli.engines import kill_engine, make_project, until
from tests.cli.processes import QUICK, Answer, environment, painter, zoomtui, zoomtui_here
from tests.hooks import SECRET, Target, hook, told


def kinds(heard: Path) -> list[str]:
    return [each["event"]["event"] for each in told(heard)]


def test_a_render_that_crashes_and_finishes_says_both_and_writes_its_metrics(
    tmp_path: Path,
) -> None:
    due, heard, metrics = tmp_path / "due", tmp_path / "heard", tmp_path / "a.prom"
    due.write_text("1")
    crashing = (*QUICK, "--painter", "tests.painters:aborting_once", "--model", str(due))
    told_by = ("--on-event", hook(heard), "--metrics", str(metrics))
    answer = zoomtui("render", *crashing, *told_by, "--out", "a.zoom", cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert kinds(heard) == ["restarted", "finished"]
    restarted, finished = told(heard)
    assert "the engine died of SIGABRT" in restarted["event"]["text"]
    assert finished["environment"]["ZOOMTUI_PROJECT"] == str(tmp_path / "a.zoom")
    assert finished["environment"]["ZOOMTUI_KEYFRAMES"] == "3"
    values = {
        family.name: family.samples[0].value
        for family in text_string_to_metric_families(metrics.read_text())
    }
    assert (values["zoomtui_keyframes"], values["zoomtui_restarts"]) == (3, 1)
    assert values["zoomtui_up"] == 0
    assert [path.name for path in tmp_path.glob("*.prom*")] == ["a.prom"]


@pytest.mark.slow
def test_a_render_that_fails_says_why_and_the_same_is_told_after_resume(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    words = ("--on-event", hook(heard), "--out", "a.zoom")
    answer = zoomtui("render", *painter("failing", 2), *words, cwd=tmp_path)
    assert answer.code == 5
    zoomtui("resume", "a.zoom", cwd=tmp_path)
    assert kinds(heard) == ["failed", "failed"]
    text = told(heard)[0]["event"]["text"].removeprefix("failed: ")
    assert text in answer.err
    zoomtui("resume", "a.zoom", "--on-event", "none", cwd=tmp_path)
    assert kinds(heard) == ["failed", "failed"]
    assert recipients_of(tmp_path / "a.zoom").command == ()


def test_a_secret_stands_nowhere_while_a_detached_render_tells_it(
    tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_project(tmp_path / "a.zoom", "endless", 2)
    keep(folder, Recipients(urls=(target.url,)))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    launch(folder)
    try:
        until(lambda: (folder / "film.mp4").stat().st_size, "it renders")
        answers = [zoomtui(*words, cwd=tmp_path) for words in _looks(folder)]
        target.answer = 500
        stopped = zoomtui("stop", "a.zoom", "--now", cwd=tmp_path)
        assert stopped.code == 0
        lines: set[str] = set()
        until(lambda: _saw(lines) or target.heard, "it is told")
    finally:
        kill_engine(folder)
    log = folder / "render.log"
    until(lambda: "no message by --notify (json)" in log.read_text(), "the log says so")
    assert [each["title"] for each in target.heard] == ["a stopped"]
    said = "".join((each.out + each.err) for each in [*answers, stopped])
    assert "running" in said
    assert SECRET not in said + "".join(lines)
    for path in folder.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path


def _looks(folder: Path) -> list[tuple[str, ...]]:
    return [("status", folder.name, "--json"), ("ls",), ("logs", folder.name)]


def _saw(lines: set[str]) -> bool:
    """Take note of all command lines there are."""
    for process in psutil.process_iter(["cmdline"]):
        lines.add(" ".join(process.info["cmdline"] or ()))
    return False


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--on-event", "no-such-program x"), "'no-such-program' is no program"),
        (("--on-event", "'x"), "--on-event can't be read"),
        (("--notify", f"nonsense://{SECRET}"), "--notify, address 1: Apprise knows no such"),
        (("--metrics", "no/a.prom"), "--metrics: no file can be written"),
        (("--metrics", "notes.txt"), "--metrics: notes.txt must end in .prom"),
    ],
)
def test_what_can_not_be_used_is_refused_before_anything_is_made(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    answer = zoomtui_here("render", *QUICK, *words, "--out", "a.zoom", cwd=tmp_path)
    assert (answer.code, answer.out) == (2, "")
    (line,) = answer.err.splitlines()
    assert said in line
    assert SECRET not in line
    assert not any(tmp_path.iterdir())


def test_a_bad_default_is_refused_wherever_a_render_starts(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom")
    for name, value, said in (
        (ON_EVENT, "no-such-program", f"{ON_EVENT}: 'no-such-program' is no program"),
        (NOTIFY, f"nonsense://{SECRET}", f"{NOTIFY}, address 1: Apprise knows no such"),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(name, value)
            for words in (("render", *QUICK), ("resume", "a.zoom")):
                answer = zoomtui_here(*words, cwd=tmp_path)
                assert (answer.code, answer.err.count("\n")) == (2, 1)
                assert said in answer.err
    assert not (folder / "render.log").exists()


def test_the_queue_keeps_them_and_defaults_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NOTIFY, "json://127.0.0.1")
    queue = ("queue", "add", "--queue", str(tmp_path / "q"))
    other = make_project(tmp_path / "b.zoom")
    words = ("--project", str(other), "--on-event", "true")
    assert zoomtui_here(*queue, *QUICK, "--out", "a.zoom", *words, cwd=tmp_path).code == 0
    for folder in (tmp_path / "a.zoom", other):
        found = recipients_of(folder)
        assert found.command
        assert found.command[0].endswith("/true")
        assert found.urls == ("json://127.0.0.1",)


def test_notify_tries_all_and_says_who_was_not_reached(tmp_path: Path, target: Target) -> None:
    make_project(tmp_path / "a.zoom")
    heard = tmp_path / "heard"

    def notify(*words: str) -> Answer:
        return zoomtui_here("notify", "a.zoom", *words, cwd=tmp_path)

    answer = notify()
    assert (answer.code, "nothing is sent for a.zoom" in answer.out) == (0, True)
    answer = notify("--on-event", hook(heard), "--notify", target.url)
    assert (answer.code, answer.lines) == (
        0,
        ["--on-event: delivered", "--notify (json): delivered"],
    )
    assert (kinds(heard), len(target.heard)) == (["test"], 1)
    target.answer = 401
    answer = notify("--on-event", "")
    assert (answer.code, answer.lines) == (
        2,
        ["--notify (json): not delivered, it was refused, or could not be reached"],
    )
    assert answer.err == "zoomtui: not all of it was delivered\n"
    assert kinds(heard) == ["test"]


def test_the_engine_alone_tells_as_well(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "a.zoom", keyframes=3)
    heard = tmp_path / "heard"
    keep(folder, Recipients(command_of(hook(heard))))
    line = python_module("renderer", str(folder), "--alone")
    assert subprocess.run(line, env=environment(), check=False, capture_output=True).returncode == 0
    assert kinds(heard) == ["finished"]
