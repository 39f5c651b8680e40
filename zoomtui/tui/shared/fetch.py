"""The command that fetches a film from here, to be typed on the user's own machine."""

from __future__ import annotations

import shlex
import socket
from pathlib import Path

from renderer.files import is_folder
from renderer.machine import user_name


def fetch_command(path: Path, name: str = "") -> str:
    """Fetches ``path``, a file or a folder, under a ``name``, by default its own."""
    source = f"{user_name()}@{socket.gethostname()}:{path.absolute()}"
    named = shlex.quote(name or path.name or ".")
    return f"scp {'-r ' * is_folder(path)}{shlex.quote(source)} {named}"
