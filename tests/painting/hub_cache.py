"""The hub's cache on this disk, as the real client reads it, filled by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def put(cache: Path, repo: str, folder: Path) -> None:
    """`folder` becomes the newest of a repository, as if it had been downloaded."""
    place = cache / f"models--{repo.replace('/', '--')}"
    shutil.copytree(folder, place / "snapshots" / COMMIT)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(COMMIT)
