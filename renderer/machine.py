"""What this machine lends to this process. Knows nothing of what it is for."""

from __future__ import annotations

import getpass
import ipaddress
import os
import resource
import sys

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


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that host, a name or an address, with brackets or not."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
