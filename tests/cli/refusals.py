"""What every refusal looks like, and what there is to be refused."""

from __future__ import annotations

from pathlib import Path

from tests.cli.processes import Answer

LONG = "n" * 300
"""A name that no file can have."""


def assert_refused(answer: Answer, code: int, *parts: str) -> None:
    """One line on standard error, nothing on standard output."""
    assert answer.out == ""
    assert_one_line(answer, code, *parts)


def assert_one_line(answer: Answer, code: int, *parts: str) -> None:
    assert answer.err.startswith("zoomtui: "), answer.err
    assert answer.err.count("\n") == 1, answer.err
    assert "Traceback" not in answer.err
    for part in parts:
        assert part in answer.err
    assert answer.code == code, answer.err


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
