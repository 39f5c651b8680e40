"""The command that fetches a film from here, to be typed on the user's own machine."""

from __future__ import annotations

import getpass
import shlex
import socket
from pathlib import Path


def fetch_command(path: Path, name: str = "") -> str:
    """Fetches ``path``, a file or a folder, under a ``name``, by default its own."""
    source = f"{getpass.getuser()}@{socket.gethostname()}:{path.absolute()}"
    named = shlex.quote(name or path.name or ".")
    return f"scp {'-r ' * path.is_dir()}{shlex.quote(source)} {named}"
