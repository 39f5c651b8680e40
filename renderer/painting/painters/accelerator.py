"""Is there a GPU that torch could use? Answered in about a millisecond, without loading torch.

A good guess for choosing a default; the certain answer is ``diffusion.describe_device``.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def accelerator() -> str | None:
    """A line that names the accelerator, or None where there is none that this torch can use."""
    build = _torch_build()
    if build is None or build == "cpu":
        return None
    if sys.platform == "darwin":
        return "Apple GPU" if platform.machine() == "arm64" else None
    if build.startswith("rocm"):
        return "AMD GPU" if Path("/dev/kfd").exists() and _visible("HIP_VISIBLE_DEVICES") else None
    return nvidia_gpu(Path("/")) if _visible("CUDA_VISIBLE_DEVICES") else None


def nvidia_gpu(root: Path) -> str | None:
    """The name of the first NVIDIA GPU that the driver shows in the file tree under ``root``."""
    for file in sorted(root.glob("proc/driver/nvidia/gpus/*/information")):
        named = re.search(r"^Model:\s*(.+?)\s*$", file.read_text(errors="replace"), re.MULTILINE)
        return named[1] if named else "NVIDIA GPU"
    # Some containers hide /proc/driver; Linux inside Windows (WSL) has no such driver.
    if any(root.glob("dev/nvidia[0-9]*")) or (
        (root / "dev/dxg").exists() and (root / "usr/lib/wsl/lib/libcuda.so.1").exists()
    ):
        return "NVIDIA GPU"
    return None


def _torch_build() -> str | None:
    """``cpu``, ``cu126``, ``rocm6.3`` …: the build tag of the installed torch, "" if untagged."""
    try:
        return version("torch").partition("+")[2]
    except PackageNotFoundError:
        return None


def _visible(variable: str) -> bool:
    """False where the user hides every device by the environment variable."""
    value = os.environ.get(variable)
    return value is None or value.strip() not in {"", "-1"}
