"""What holds for every test: one thread for each library, and a state directory of its own.

Test processes run side by side, and so do the engines that they start. Where each of them also
brings as many threads of BLAS and OpenMP as there are cores, these wait for one another by spinning
and take many times as long. The libraries read this when they are loaded, which is after here.

And the garbage collector, which loading a model calls on, is kept from looking through all that
pytest, torch and their kin have loaded: 0.8 s each time, most of what a tiny model costs.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_threads] = "1"
os.environ["PYTHONDONTWRITEBYTECODE"] = ""  # else each process compiles the package's sources
# A shell that starts this in the background has SIGINT ignored, and all processes would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from tests.cli.processes import QUICK, Answer, Running, painter, zoomtui  # noqa: E402
from tests.hooks import Target  # noqa: E402

# How long an example takes, or making one up, says how busy the machine is.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="module", autouse=True)
def _old_objects_are_let_be() -> None:
    """By the garbage collector: what was loaded before this module's tests stays anyway."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def state_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A state directory that no other engine of this user knows of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("s")))
        yield


@pytest.fixture
def empty_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory in which no render is listed yet.

    Its path is short: a socket's that is too long would lie in a folder that all runs share.
    """
    state = tmp_path_factory.mktemp("s")
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    return state


@pytest.fixture(scope="session", autouse=True)
def _usual_terminal() -> Iterator[None]:
    """What the caller's terminal is like makes no difference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NO_COLOR", raising=False)
        patch.setenv("TERM", "xterm-256color")
        yield


@pytest.fixture
def target() -> Iterator[Target]:
    """A server that messages can be sent to."""
    with Target() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    """A finished project of 3 keyframes and 9 frames, and what its render said."""
    where = tmp_path_factory.mktemp("rendered")
    answer = zoomtui("render", "a reef", *QUICK, "--out", "reef.zoom", cwd=where)
    assert answer.code == 0, answer
    return where / "reef.zoom", answer


@pytest.fixture
def finished(rendered: tuple[Path, Answer], tmp_path: Path) -> Path:
    """A copy of the finished project, to be changed or broken: reef.zoom in ``tmp_path``."""
    return shutil.copytree(rendered[0], tmp_path / "reef.zoom")


@pytest.fixture(scope="session")
def _killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("killed")
    options = (*painter("endless", 2), "--keyframes", "5")
    with Running("render", *options, "--out", "reef.zoom", cwd=where) as running:
        running.until("segment 1")
    return where / "reef.zoom"


@pytest.fixture
def killed(_killed: Path, tmp_path: Path) -> Path:
    """A copy of a project killed (SIGKILL) with 2 of 5 keyframes and 4 frames."""
    return shutil.copytree(_killed, tmp_path / "reef.zoom")
