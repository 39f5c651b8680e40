"""Projects that are damaged, newer, another user's or out of reach: one clear line, no harm."""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.processes import QUICK, Answer, zoomtui, zoomtui_here
from tests.cli.refusals import LONG, assert_one_line, assert_refused, listing


def replaced(name: str, old: str, new: str) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        path = folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return damage


TOML = "project.toml"
DAMAGED: dict[str, tuple[Callable[[Path], object], int, list[str]]] = {
    "a typo": (replaced(TOML, "prompt =", "promt ="), 2, ["'promt'", "did you mean 'prompt'"]),
    "a wrong type": (replaced(TOML, "steps = 25", "steps = 'many'"), 2, ["steps", "many"]),
    "a wrong value": (replaced(TOML, "steps = 25", "steps = 0"), 2, ["steps", "at least 1"]),
    "a newer version": (replaced(TOML, "schema = 1", "schema = 99"), 3, ["newer", "upgrade"]),
    "no version": (replaced(TOML, "schema = 1", ""), 3, ["not a zoomtui project"]),
    "no TOML": (replaced(TOML, "steps = 25", "steps = ="), 3, ["not valid TOML", "line"]),
    "no text": (lambda at: (at / TOML).write_bytes(b"\xff"), 3, ["not UTF-8"]),
    "no journal": (lambda at: (at / "journal.jsonl").unlink(), 3, ["journal.jsonl"]),
    "a torn-up journal": (
        replaced("journal.jsonl", '"keyframe":1', '"keyframe":7'),
        3,
        ["journal.jsonl is damaged", "line"],
    ),
}


def digests(folder: Path) -> dict[str, str]:
    """Of everything that is the film: all but the log and the locks."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in {"render.log", "lock", "supervisor"}
    }


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_project_is_named_and_left_as_it_is(finished: Path, case: str) -> None:
    damage, code, parts = DAMAGED[case]
    damage(finished)
    before = digests(finished)
    resumed = zoomtui("resume", finished.name, "--keyframes", "9", cwd=finished.parent)
    assert_refused(resumed, code, finished.name, *parts)
    if case not in {"no journal", "a torn-up journal"}:
        shown = zoomtui("status", finished.name, cwd=finished.parent)
        assert_refused(shown, code, finished.name, *parts)
    assert digests(finished) == before


def test_a_corrupt_keyframe_is_named_when_it_is_needed(finished: Path) -> None:
    (finished / "keyframes" / "000002.png").write_bytes(b"junk")
    answer = zoomtui("resume", finished.name, "--keyframes", "5", cwd=finished.parent)
    assert_one_line(answer, 3, "000002.png", "checksum")


def test_a_codec_edited_in_is_refused_before_the_film_is_touched(finished: Path) -> None:
    replaced(TOML, 'codec = "h264"', 'codec = "h266"')(finished)
    before = digests(finished)
    answer = zoomtui("resume", finished.name, "--keyframes", "5", cwd=finished.parent)
    assert_refused(answer, 3, "codec is 'h266', but was 'h264'")
    assert digests(finished) == before


@pytest.mark.parametrize("verb", ["resume", "status"])
@pytest.mark.parametrize(
    ("name", "code", "part"),
    [
        ("nowhere", 3, "does not exist"),
        ("afile", 3, "is not a folder"),
        ("full", 3, "is not a zoomtui project"),
        (LONG, 3, "name too long"),
    ],
)
def test_what_is_no_project_is_not_one_for_any_verb(
    inputs: Path, verb: str, name: str, code: int, part: str
) -> None:
    assert_refused(zoomtui_here(verb, name, cwd=inputs), code, name, part)


def test_a_project_is_not_rendered_over(finished: Path) -> None:
    before = digests(finished)
    answer = zoomtui("render", *QUICK, "--out", finished.name, cwd=finished.parent)
    assert_refused(answer, 3, "reef.zoom is a project already", "zoomtui resume", "another --out")
    assert digests(finished) == before


# --- permissions ---------------------------------------------------------------------------------

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
_LIBC = ctypes.CDLL(None)


def heed_permissions() -> None:
    """In the child, before it starts: root, too, may only do what a folder's mode says."""
    if os.geteuid() == 0:
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            if _LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise PermissionError


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder that may be entered and read, and not written."""
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def as_a_user(*arguments: str, cwd: Path) -> Answer:
    try:
        return zoomtui(*arguments, cwd=cwd, preexec_fn=heed_permissions)
    except subprocess.SubprocessError:
        pytest.skip("root may not give up its privileges here")


def test_a_folder_without_write_permission_is_named(closed: Path) -> None:
    answer = as_a_user("render", *QUICK, "--out", "reef.zoom", cwd=closed)
    assert_one_line(answer, 6, "reef.zoom", "ermission denied")
    assert listing(closed) == []


@pytest.mark.parametrize("arguments", [("render", *QUICK, "--out"), ("status",), ("resume",)])
def test_a_folder_that_may_not_be_entered_is_named(
    closed: Path, arguments: tuple[str, ...]
) -> None:
    closed.chmod(0o000)
    answer = as_a_user(*arguments, "closed/reef.zoom", cwd=closed.parent)
    assert_refused(answer, 3, "closed/reef.zoom", "ermission denied")
