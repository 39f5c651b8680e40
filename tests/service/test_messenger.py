"""Messages on their way: real commands, a real server, and what must never hold a render up."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
from pathlib import Path

import psutil
import pytest

from renderer.engine.events import Event, KeyframeReady, RenderFinished
from renderer.engine.facts import facts_of_project
from renderer.engine.occasions import Kind, Occasion
from renderer.errors import SettingsError
from renderer.project import registry
from renderer.project.copy import copy_project
from renderer.project.create import create_project
from renderer.project.recipients import (
    NOTIFY,
    ON_EVENT,
    Recipients,
    command_of,
    defaults,
    keep,
    metrics_of,
    recipients_of,
)
from renderer.project.records import LOG
from renderer.project.status import read_status
from renderer.service import deliveries
from renderer.service.deliveries import LIMIT, Delivery, check, deliver
from renderer.service.messenger import Messenger
from tests.cli.engines import until
from tests.cli.processes import children_with
from tests.engine.runs import project, render, small
from tests.hooks import SECRET, Target, hook, told


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished project with a name that a shell would take apart."""
    folder = project(
        tmp_path_factory.mktemp("done") / "a $(reef);.zoom", prompt="sea\0\x1b[2J\nsky"
    )
    render(folder)
    return folder


def occasion(folder: Path, kind: Kind = Kind.FINISHED) -> Occasion:
    return Occasion(kind, "finished: all of it", facts_of_project(read_status(folder)))


def outcome(delivery: Delivery) -> str:
    assert delivery.wait(LIMIT)
    return delivery.why


# ------------------------------------------------------------------------------------ a command


def test_a_command_gets_the_event_as_json_and_in_its_environment_and_no_shell(
    tmp_path: Path, done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NOTIFY, f"json://{SECRET}")
    command = (*command_of(hook(tmp_path / "heard")), "$HOME;`id`", "two words")
    (sent,) = deliver(occasion(done), Recipients(command=command))
    assert outcome(sent) == ""
    (heard,) = told(tmp_path / "heard")
    event, environment = heard["event"], heard["environment"]
    assert event["event"] == "finished"
    assert event["project"] == str(done)
    assert (event["keyframes"], event["total"], event["state"]) == (4, 4, "finished")
    assert event["prompt"] == "sea\0\x1b[2J\nsky"
    assert heard["arguments"] == ["$HOME;`id`", "two words"]
    assert environment["ZOOMTUI_EVENT"] == "finished"
    assert environment["ZOOMTUI_PROJECT"] == str(done)
    assert environment["ZOOMTUI_KEYFRAMES"] == environment["ZOOMTUI_TOTAL"] == "4"
    assert environment["ZOOMTUI_PROMPT"] == "sea\\x00\\x1b[2J\\nsky"
    assert SECRET not in json.dumps(heard)


def test_a_command_that_hangs_is_killed_at_its_limit_with_all_that_it_has_started(
    tmp_path: Path, done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, now = tmp_path / "heard", 0.0
    monkeypatch.setattr(deliveries, "monotonic", lambda: now)
    hanging = command_of(hook(heard, "subprocess.Popen(['sleep', '600']); time.sleep(600)"))
    (sent,) = deliver(occasion(done), Recipients(command=hanging))
    until(lambda: told(heard) and len(_group(told(heard)[0]["pid"])) == 2, "it has started one")
    now = LIMIT - 0.01
    assert not sent.wait(0.0)
    now = LIMIT
    assert sent.wait(0.0)
    assert sent.why == "it was killed after 30 s"
    until(lambda: not _group(told(heard)[0]["pid"]), "both have gone")


def _group(leader: int) -> list[psutil.Process]:
    """Those of its group that live."""
    found = []
    for each in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.NoSuchProcess):
            if os.getpgid(each.pid) == leader and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each)
    return found


def test_a_command_that_does_not_read_or_is_gone_or_fails_says_so(
    tmp_path: Path, done: Path
) -> None:
    facts = facts_of_project(read_status(done))
    long = Occasion(Kind.FAILED, "x" * 1_000_000, facts)
    (sent,) = deliver(long, Recipients(command=("/bin/sh", "-c", "exit 0")))
    assert "can't be started" in outcome(sent)  # no environment holds so much
    (sent,) = deliver(occasion(done), Recipients(command=("/bin/false",)))
    assert outcome(sent) == "its exit code was 1"
    (sent,) = deliver(occasion(done), Recipients(command=(str(tmp_path / "gone"),)))
    assert outcome(sent) == "it can't be started: No such file or directory"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("no-such-program --now", "'no-such-program' is no program that can be run here"),
        ("'unclosed", "--on-event can't be read: No closing quotation"),
        ("/etc/passwd", "'/etc/passwd' is no program"),
    ],
)
def test_a_command_that_can_not_be_run_is_refused_in_a_line(line: str, why: str) -> None:
    with pytest.raises(SettingsError) as refused:
        command_of(line)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


# ------------------------------------------------------------------------------------- addresses


def test_an_address_is_told_by_apprise_and_stands_in_no_process_list(
    done: Path, target: Target
) -> None:
    target.may_answer.clear()
    (sent,) = deliver(occasion(done), Recipients(urls=(target.url,)))
    (sending,) = children_with("apprise_child")
    line = sending.cmdline()
    target.may_answer.set()
    assert outcome(sent) == ""
    assert sent.to == "--notify (json)"
    (heard,) = target.heard
    assert heard["title"] == "a $(reef); finished"
    assert (heard["message"], heard["type"]) == ("finished: all of it", "success")
    assert SECRET not in "".join(line)


def test_an_address_that_refuses_or_is_none_says_so_without_its_secret(
    done: Path, target: Target, capfd: pytest.CaptureFixture[str]
) -> None:
    target.answer = 403
    urls = (target.url, f"nonsense://{SECRET}")
    refused, unknown = deliver(occasion(done), Recipients(urls=urls))
    assert outcome(refused) == "it was refused, or could not be reached"
    assert outcome(unknown) == "Apprise knows no such address"
    with pytest.raises(SettingsError) as error:
        check(Recipients(urls=urls))
    assert str(error.value) == "--notify, address 2: Apprise knows no such address"
    assert SECRET not in "".join(capfd.readouterr())
    assert len(target.heard) == 1  # the check sends nothing


def test_without_apprise_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(SettingsError, match=r"pip install 'zoomtui\[notify\]'"):
        check(Recipients(urls=("json://127.0.0.1",)))
    check(Recipients(urls=()))


# -------------------------------------------------------------------------- where they are kept


@pytest.mark.usefixtures("empty_state")
def test_they_are_kept_for_this_user_alone_and_a_copy_brings_none_along(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    render(folder)
    said = Recipients(command=("/bin/true",), urls=(f"json://{SECRET}",), metrics="/tmp/x.prom")
    keep(folder, said)
    assert recipients_of(folder) == said
    assert stat.S_IMODE(registry.recipients_path(folder).stat().st_mode) == 0o600
    assert SECRET not in repr(said)
    for path in folder.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()
    copy_project(folder, tmp_path / "copy.zoom", lambda _done, _total: None)
    assert recipients_of(tmp_path / "copy.zoom") == Recipients()
    registry.unlist(folder)
    assert recipients_of(folder) == Recipients()


@pytest.mark.usefixtures("empty_state")
def test_a_new_project_does_not_inherit_those_of_one_that_lay_there(tmp_path: Path) -> None:
    folder = tmp_path / "a.zoom"
    keep(folder, Recipients(command=("/bin/true",)))
    create_project(folder, small())
    assert recipients_of(folder) == Recipients()


def test_the_environment_gives_defaults_and_none_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ON_EVENT, "true 'a b'")
    monkeypatch.setenv(NOTIFY, "json://one json://two")
    assert defaults().command == (command_of("true")[0], "a b")
    assert defaults().urls == ("json://one", "json://two")
    said = Recipients(command=command_of("none"))
    assert said.over(defaults()) == Recipients((), ("json://one", "json://two"))
    monkeypatch.setenv(ON_EVENT, "no-such-program")
    with pytest.raises(SettingsError):
        defaults()


def test_metrics_need_a_folder_to_lie_in(tmp_path: Path) -> None:
    assert metrics_of(str(tmp_path / "a.prom")) == str(tmp_path / "a.prom")
    for place in (tmp_path / "no" / "a.prom", tmp_path):
        with pytest.raises(SettingsError, match="no file can be written"):
            metrics_of(str(place))


@pytest.mark.parametrize("name", ["notes.txt", "a.zoom/journal.jsonl", "prom", ".prom"])
def test_metrics_are_written_over_no_file_but_one_of_their_own(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.zoom").mkdir()
    with pytest.raises(SettingsError, match=r"must end in \.prom"):
        metrics_of(str(tmp_path / name))


# ------------------------------------------------------------------------------------ the messenger


def test_events_are_handed_on_and_the_end_is_told_before_the_block_ends(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    events = render(folder)
    keep(folder, Recipients(command_of(hook(tmp_path / "heard")), metrics=str(tmp_path / "a.prom")))
    shown: list[Event] = []
    with Messenger(folder, shown.append) as messenger:
        for event in events:
            messenger.show(event)
    assert shown == events
    (one,) = told(tmp_path / "heard")
    assert one["event"]["event"] == "finished"
    text = (tmp_path / "a.prom").read_text()
    assert f'zoomtui_keyframes_total{{project="{folder}"}} 4.0\n' in text
    assert f'zoomtui_up{{project="{folder}"}} 0.0\n' in text


def test_a_command_that_hangs_holds_neither_the_render_nor_its_end_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "LIMIT", 1.0)
    folder = project(tmp_path / "a.zoom")
    events = render(folder)
    keep(folder, Recipients(command_of("sleep 600")))
    with Messenger(folder, lambda event: None) as messenger:
        for event in events:
            messenger.show(event)
    log = (folder / LOG).read_text()
    assert log.count("no message by --on-event: it was killed after 1 s\n") == 1


def test_the_log_says_once_that_a_recipient_can_not_be_told(
    tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("renderer.service.messenger._GLANCE", 0.01)
    folder = project(tmp_path / "a.zoom")
    events = render(folder)
    gone = str(tmp_path / "gone" / "a.prom")
    target.answer = 500
    keep(folder, Recipients(("/bin/false",), (target.url,), gone))
    said = 0
    with Messenger(folder, lambda event: None) as messenger:
        for _ in range(2):  # two sessions, as far as it can tell
            for event in events:
                messenger.show(event)
            said += 1
            until(lambda said=said: len(target.heard) == said, "it is told")
            messenger.show(events[0])
    log = (folder / LOG).read_text()
    assert log.count("no message by --on-event: its exit code was 1\n") == 1
    assert log.count("no message by --notify (json): it was refused") == 1
    assert log.count("no metrics: can't write") == 1
    assert SECRET not in log


def test_what_is_changed_meanwhile_holds_from_then_on(tmp_path: Path) -> None:
    folder = project(tmp_path / "a.zoom")
    events = render(folder)
    keep(folder, Recipients(("/bin/false",)))
    with Messenger(folder, lambda event: None) as messenger:
        for event in events:
            if isinstance(event, RenderFinished):
                keep(folder, Recipients(command_of(hook(tmp_path / "heard"))))
            messenger.show(event)
    assert len(told(tmp_path / "heard")) == 1


def test_a_render_of_which_nobody_is_told_starts_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a process"))
    folder = project(tmp_path / "a.zoom")
    shown: list[Event] = []
    with Messenger(folder, shown.append) as messenger:
        for event in render(folder):
            messenger.show(event)
    assert any(isinstance(event, KeyframeReady) for event in shown)
    assert not (folder / LOG).exists()
