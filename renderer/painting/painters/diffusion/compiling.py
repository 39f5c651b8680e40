"""Compilation of the denoiser, which must never cost a film: what fails falls back to eager.

A compiled denoiser must be called on the thread that compiled it: CUDA graphs keep their state by
thread (pytorch/pytorch#123177). The painter is made and used on one thread, so this holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from renderer.settings.speed_levels import Compilation

FAILURES: tuple[type[Exception], ...] = (
    RuntimeError,
    AssertionError,
    AttributeError,
    ImportError,
    OSError,
    TypeError,
    ValueError,
)
"""What a missing compiler, missing headers or a broken Triton make torch raise when it compiles."""

Backend = str | Callable[..., Any]


def has_repeated_blocks(denoiser: Any) -> bool:
    """Whether there are blocks to compile once for all; Kandinsky's UNet has none."""
    names = set(getattr(denoiser, "_repeated_blocks", None) or ())
    return any(type(part).__name__ in names for part in denoiser.modules())


class Compiled:
    """A denoiser whose forward pass is compiled at its first call with each new size.

    ``backend``: torch's own by default.
    """

    def __init__(self, denoiser: Any, how: Compilation, backend: Backend = "inductor") -> None:
        self._denoiser = denoiser
        self._how = how
        self._seen: set[tuple[int, ...]] = set()
        if how == "blocks":
            denoiser.compile_repeated_blocks(fullgraph=True, dynamic=True, backend=backend)
        else:
            denoiser.forward = _graphed(denoiser.forward, backend)

    def warms_up(self, size: tuple[int, ...]) -> bool:
        """Whether a call with pictures of this size is going to compile something."""
        return size not in self._seen if self._how == "whole" else not self._seen

    def warmed_up(self, size: tuple[int, ...]) -> None:
        """A call with that size went well."""
        self._seen.add(size)

    def undo(self) -> None:
        """Back to eager, for good; what compilation holds is given back."""
        if self._how == "whole":
            del self._denoiser.forward
        else:
            for part in self._denoiser.modules():
                part._compiled_call_impl = None  # what Module.compile sets
        torch.compiler.reset()


def _graphed(forward: Callable[..., Any], backend: Backend) -> Callable[..., Any]:
    """``forward`` compiled as a whole, in CUDA graphs with torch's own backend.

    A CUDA graph writes each result to the same place, and some samplers keep results of earlier
    steps: so a result leaves as a copy.
    """
    mode = "reduce-overhead" if backend == "inductor" else None
    compiled = torch.compile(forward, fullgraph=True, dynamic=False, mode=mode, backend=backend)

    def call(*args: Any, **named: Any) -> Any:
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        result = compiled(*args, **named)
        return tuple(tensor.clone() for tensor in result)

    return call
