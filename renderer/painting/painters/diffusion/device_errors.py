"""A device that fails for good: an illegal access, an assertion in a kernel, a GPU off the bus.

The error of a failed kernel is raised by the next call that waits for the device, and every call
after that fails as well: this process can't use the device any more, another one can.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from renderer.errors import DeviceLost
from renderer.painting.painters.diffusion.hub_errors import one_line
from renderer.painting.painters.diffusion.memory import is_full

_ERROR: type[Exception] = getattr(torch, "AcceleratorError", torch.OutOfMemoryError)
"""What torch raises for a failed device; older versions have no class for that, only the words."""
_WORDS = ("cuda error:", "hip error:")


def is_lost(error: BaseException) -> bool:
    """Whether ``error`` says that the device has failed; a full memory is no failure."""
    if is_full(error) or not isinstance(error, RuntimeError):
        return False
    return isinstance(error, _ERROR) or any(words in str(error).casefold() for words in _WORDS)


@contextmanager
def device_lost(name: str) -> Iterator[None]:
    """What the device called ``name`` raises when it fails inside the block becomes DeviceLost."""
    try:
        yield
    except RuntimeError as error:
        if is_lost(error):
            raise DeviceLost(
                f"{name} failed ({one_line(error)}); a new process can go on from here"
            ) from error
        raise
