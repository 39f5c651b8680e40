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
from collections.abc import Iterator
from pathlib import Path

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_threads] = "1"
os.environ["PYTHONDONTWRITEBYTECODE"] = ""  # else each process compiles the package's sources

import pytest  # noqa: E402


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
