"""How this package compiles its inner loops. Knows nothing of what they compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from numba import njit

_Loop = TypeVar("_Loop", bound=Callable[..., object])


def kernel(function: _Loop) -> _Loop:
    """Compile ``function`` to single-threaded machine code that runs without Python's lock.

    The code is compiled at the first call and kept on disk, beside the source or, where that can't
    be written, in the user's cache; where there is no such place either it is compiled anew in each
    process. Sums keep the order in which they are written (only a product and a sum may be fused),
    so results repeat bit for bit on the same machine. Kernels that call each other must lie in one
    file: numba looks for changes only in the file of the kernel that is called.
    """
    try:
        compiled: _Loop = njit(function, nogil=True, fastmath={"contract"}, cache=True)
    except RuntimeError:  # numba's word for "no place for the cache is writable"
        compiled = njit(function, nogil=True, fastmath={"contract"})
    return compiled
