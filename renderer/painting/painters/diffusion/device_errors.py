"""A device that fails for good: an illegal access, an assertion in a kernel, a GPU off the bus.

The error of a failed kernel is raised by the next call that waits for the device, and every call
after that fails as well: this process can't use the device any more, another one can.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from renderer.errors import DeviceLost, PainterError
from renderer.painting.painters.diffusion.hub_errors import one_line
from renderer.painting.painters.diffusion.memory import is_full

_ERROR: type[Exception] = getattr(torch, "AcceleratorError", torch.OutOfMemoryError)
"""What torch raises for a failed device; older versions have no class for that, only the words."""
_WORDS = ("cuda error:", "hip error:", "cuda driver error:", "cudnn_status_execution_failed")
_TRITON = ("illegal memory access", "device-side assert", "launch failure", "misaligned address")
"""Ends of "Triton Error [CUDA]: …" that mean the device; others mean the kernel, which another
program can do without."""
_RECORDING = "captur"
"""In what a CUDA graph raises that can't be recorded, which the GPU survives."""
_UNFIT = ("no kernel image", "invalid device function")


def is_lost(error: BaseException) -> bool:
    """Whether ``error`` says that the device has failed.

    A full memory is no failure, nor is a torch that was not built for this GPU, nor a CUDA graph
    that can't be recorded.
    """
    if is_full(error) or is_unfit(error) or not isinstance(error, RuntimeError):
        return False
    text = str(error).casefold()
    if _RECORDING in text:
        return False
    if "triton error" in text:
        return any(words in text for words in _TRITON)
    return isinstance(error, _ERROR) or any(words in text for words in _WORDS)


def is_unfit(error: BaseException) -> bool:
    """Whether ``error`` says that this torch has no code for the device."""
    text = str(error).casefold()
    return isinstance(error, RuntimeError) and any(words in text for words in _UNFIT)


@contextmanager
def device_lost(name: str) -> Iterator[None]:
    """What the device called ``name`` raises when it fails inside the block becomes DeviceLost.

    PainterError where this torch was not built for it: no other process can use it either.
    """
    try:
        yield
    except RuntimeError as error:
        if is_lost(error):
            raise DeviceLost(
                f"{name} failed ({one_line(error)}); a new process can go on from here"
            ) from error
        if is_unfit(error):
            raise PainterError(
                f"this torch was not built for {name} ({one_line(error)}); install one that was: "
                "https://pytorch.org/get-started"
            ) from error
        raise
