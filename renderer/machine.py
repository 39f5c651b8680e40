"""What this machine lends to this process. Knows nothing of what it is for."""

from __future__ import annotations

import os
import sys


def cores() -> int:
    """Cores that this process may use, which on a shared machine are fewer than there are."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
