"""What this machine lends to this process. Knows nothing of what it is for."""

from __future__ import annotations

import getpass
import ipaddress
import os
import resource
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import psutil


def cores() -> int:
    """Cores that this process may use, which on a shared machine are fewer than there are."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def peak_memory() -> int:
    """Bytes that this process held in RAM at most."""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024


def as_many_as_fit(bytes_each: int) -> int:
    """As many as there are cores, in half of the memory that is free now; at least one."""
    free = psutil.virtual_memory().available
    return max(1, min(cores(), int(free / 2) // bytes_each))


def user_name() -> str:
    """Of whom this process belongs to; the number where this machine has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # as in a container that is run for any user
        return str(os.getuid())


def private_socket(path: Path) -> socket.socket:
    """A Unix socket at ``path``, where nothing is yet, that only this user reaches, 0600.

    Raises OSError.
    """
    with ExitStack() as undo:
        bound = undo.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        os.fchmod(bound.fileno(), 0o600)  # Linux gives what bind makes the socket's own mode
        bound.bind(os.fspath(path))
        undo.pop_all()
    return bound


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that host, a name or an address, with brackets or not."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
