"""The command that fetches a film from here, to be typed on the user's own machine."""

from __future__ import annotations

import getpass
import shlex
import socket
from pathlib import Path


def fetch_command(path: Path, name: str, *, folder: bool = False) -> str:
    """The command that fetches ``path``, a file or ``folder``, when typed on another machine."""
    source = f"{getpass.getuser()}@{socket.gethostname()}:{path}"
    return f"scp {'-r ' * folder}{shlex.quote(source)} {shlex.quote(name)}"
