"""How this package starts Python: from its own code, never from the working directory.

With ``-m`` and ``-c`` Python looks for modules in the working directory before anywhere else, so a
``renderer/`` or a ``torch.py`` that lies there would be run. Every process that is started here
is started through this module. Knows nothing of what the processes do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path(__file__).parents[1]
"""Where this package was loaded from."""


def python_module(name: str, *arguments: str) -> list[str]:
    """The command line of ``python -m NAME ARGUMENTS``, for a module of this distribution."""
    return [sys.executable, *([] if _is_here() else ["-P"]), "-m", name, *arguments]


@contextmanager
def safe_path() -> Iterator[None]:
    """Processes that a library (``multiprocessing``) starts in the block keep to that as well."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def _is_here() -> bool:
    """Whether the working directory is where this package lies: a checkout, run as it is."""
    try:
        return _ROOT.samefile(".")
    except OSError:  # the working directory is gone
        return False
