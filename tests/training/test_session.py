"""A slice keeps its time, loses nothing to a stage that fails, and brings back small files."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from training import session
from training.running import read_options
from training.session import SLICES, Session, Stage


def started(tmp_path: Path, length: float = 100.0) -> Session:
    return Session(
        tmp_path / "pack",
        tmp_path / "run",
        tmp_path / "out",
        "tiny",
        ends=time.time() + length,
        length=length,
    )


def test_the_parts_of_a_stage_make_a_whole_and_times_rise() -> None:
    parts = [
        tuple(map(float, task.part.split(":")))
        for number in sorted(SLICES)
        for task in SLICES[number]
        if isinstance(task, Stage) and task.name == "unet"
    ]
    assert parts[0][0] == 0
    assert parts[-1][1] == 1
    assert all(before[1] == after[0] for before, after in itertools.pairwise(parts))
    for tasks in SLICES.values():
        times = [task.until for task in tasks if hasattr(task, "until")]
        assert times == sorted(times)
        assert all(0 < share < 1 for share in times)


@pytest.mark.slow
def test_a_stage_that_fails_is_tried_with_half_its_batches_and_the_rest_is_done(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    slice_ = started(tmp_path)
    # There is no pack and no run: every stage fails at once.
    assert not slice_.do((Stage("fetch", 0.9), session.Export()))
    said = capfd.readouterr().out
    assert said.count("training.fetch") == 2
    assert "--batch 0.5" in said
    assert "training.checkpoint export" in said
    assert len(slice_.failed) == 3


def test_a_stage_without_time_is_not_begun(tmp_path: Path) -> None:
    slice_ = started(tmp_path, length=10)
    slice_.ends = time.time() + 1
    assert not slice_.do((Stage("unet", 0.9),))
    assert slice_.failed == ["unet: no time left"]


def test_what_does_not_end_in_time_is_asked_to_and_then_made_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "_LAST_GRACE", 0.5)
    sleep = [sys.executable, "-c", "import time; time.sleep(3600)"]
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a child inherits that
    try:
        assert session.call(sleep, time.time(), {}) == -signal.SIGKILL
    finally:
        signal.signal(signal.SIGTERM, before)
    monkeypatch.undo()
    assert session.call(sleep, 0.0, {}) == -signal.SIGTERM


def test_a_folder_comes_back_in_pieces_that_make_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PIECE", 40_000)
    folder = tmp_path / "run" / "cosmos"
    (folder / "unet").mkdir(parents=True)
    (folder / "unet" / "weights").write_bytes(bytes(range(256)) * 500)
    (folder / "zoomtui.json").write_text("{}")
    out = tmp_path / "out"
    out.mkdir()
    files = session.bring(folder, out)
    assert len(files) == 4
    assert all(file.stat().st_size <= 40_000 for file in files)
    whole = b"".join(file.read_bytes() for file in sorted(out.glob("cosmos.tar.*")))
    subprocess.run(["tar", "-xf", "-", "-C", tmp_path], input=whole, check=True)
    again = tmp_path / "cosmos"
    assert (again / "unet" / "weights").read_bytes() == bytes(range(256)) * 500
    assert (again / "zoomtui.json").read_text() == "{}"


def test_sheets_and_figures_are_brought_back(tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    run.mkdir()
    out.mkdir()
    (run / "unet.png").write_bytes(b"picture")
    (run / "autoencoder.png").write_bytes(b"of an earlier slice")
    os.utime(run / "autoencoder.png", (1000, 1000))
    (run / "unet.jsonl").write_text('{"step": 1}\n{"step": 2}\n')
    session.show(run, out, since=2000.0)
    assert (out / "unet.png").read_bytes() == b"picture"
    assert not (out / "autoencoder.png").exists()
    assert (out / "figures.txt").read_text() == 'unet {"step": 1}\nunet {"step": 2}\n'


def test_a_stage_ends_at_a_time_of_day() -> None:
    given = ["pack", "run", "--until", str(time.time() + 60), "--sizes", "tiny", "--batch", "0.5"]
    options = read_options(given, None)
    assert options.clock.minutes == pytest.approx(1, abs=0.1)
    assert options.batch == 0.5
