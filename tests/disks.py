"""Disks of a few pages, which a test may fill."""

from __future__ import annotations

import subprocess
from pathlib import Path


def small_disk(folder: Path, *options: str) -> None:
    """Mount one at ``folder``. Raises OSError, CalledProcessError where that is not allowed."""
    subprocess.run(["mount", *options, "tmpfs", folder], check=True, capture_output=True)
