"""Where compiled loops are kept."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = """
from renderer.numeric.kernels import kernel

@kernel
def twice(x: int) -> int:
    return 2 * x
"""


def load(folder: Path) -> ModuleType:
    """Import a module with one kernel from a folder that can't hold its cache."""
    (
        folder / "__pycache__"
    ).touch()  # a file where numba wants a folder: not writable, even to root
    path = folder / "loops.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("loops", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_package_in_a_read_only_place_keeps_its_kernels_in_the_user_s_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    assert load(tmp_path).twice(21) == 42
    assert list(cache.rglob("loops.twice-*.nbc"))


def test_kernels_run_where_no_cache_is_writable_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/nowhere")
    assert load(tmp_path).twice(21) == 42
