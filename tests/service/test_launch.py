"""Engines that can't even be started: one line, in every verb."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from renderer.errors import EngineCrashed, StorageError
from renderer.service.launch import launch
from tests.cli.engines import make_project


def test_a_project_that_can_not_be_written_to_is_told_with_its_reason(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "reef.zoom")
    (folder / "render.log").mkdir()
    with pytest.raises(StorageError, match=r"can't write .*render\.log: Is a directory"):
        launch(folder)


def test_a_process_that_can_not_be_started_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_project(tmp_path / "reef.zoom")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(EngineCrashed, match="can't be started: No such file or directory"):
        launch(folder)
