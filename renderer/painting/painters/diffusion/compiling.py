"""Compilation of the denoiser, which must never cost a film: what fails falls back to eager.

A compiled denoiser must be called on the thread that compiled it: CUDA graphs keep their state by
thread (pytorch/pytorch#123177). The painter is made and used on one thread, so this holds.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch._dynamo import config, exc

from renderer.painting.painters.diffusion.hub_errors import causes
from renderer.settings.speed_levels import Compilation

_LIMITS = (getattr(exc, f"FailOn{kind}LimitHit", None) for kind in ("Recompile", "Cache"))
FAILURES: tuple[type[Exception], ...] = (
    RuntimeError,
    AssertionError,
    AttributeError,
    ImportError,
    OSError,
    TypeError,
    ValueError,
    *filter(None, _LIMITS),
)
"""What a missing compiler, missing headers, a broken Triton or one size too many make torch raise
when it compiles."""
_COMPILERS = ("torch._dynamo.", "torch._inductor.", "triton.")
_ENTRIES = 128
"""Versions of one piece of code that may be kept. Torch's own limit of 8 is for the whole process,
and an error where no part may stay uncompiled: SD2's resnets alone take 26, with guidance and
without, and a whole denoiser one for each size and number of pictures."""

Backend = str | Callable[..., Any]


def comes_from_compiler(error: BaseException) -> bool:
    """Whether it was raised in compiling, or by what came of it, and not by the model itself."""
    return any(
        type(cause).__module__.startswith(_COMPILERS) or "triton error" in str(cause).casefold()
        for cause in causes(error)
    )


def repeated_blocks(model: Any) -> list[torch.nn.Module]:
    """Parts that are worth compiling by themselves, once for all sizes.

    Those that diffusers names, which hold the attention, and the resnets, which it leaves out: they
    are more than half of a UNet's work at Stable Diffusion's sizes, and nearly all of a VAE's.
    """
    names = {"ResnetBlock2D", *(getattr(model, "_repeated_blocks", None) or ())}
    return [part for part in model.modules() if type(part).__name__ in names]


class Compiled:
    """A denoiser whose forward pass is compiled at its first call with each new size.

    ``vae``: its resnets are compiled as well. ``backend``: torch's own by default.
    """

    def __init__(
        self, denoiser: Any, how: Compilation, vae: Any = None, backend: Backend = "inductor"
    ) -> None:
        self._denoiser = denoiser
        self._blocks = repeated_blocks(denoiser) if how == "blocks" else []
        self._blocks += repeated_blocks(vae) if vae is not None else []
        self.how = how
        self._seen: set[tuple[int, ...]] = set()
        forget()  # of what another painter had compiled, nothing counts or stays
        config.cache_size_limit = config.accumulated_cache_size_limit = _ENTRIES
        for part in self._blocks:
            part.compile(fullgraph=True, dynamic=True, backend=backend)
        if how == "whole":
            denoiser.forward = _graphed(denoiser.forward, backend)

    def warms_up(self, size: tuple[int, ...]) -> bool:
        """Whether a call with pictures of this size is going to compile something."""
        return size not in self._seen if self.how == "whole" else not self._seen

    def warmed_up(self, size: tuple[int, ...]) -> None:
        """A call with that size went well."""
        self._seen.add(size)

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Inside, a whole denoiser runs as it did before it was compiled."""
        compiled = self._denoiser.forward
        del self._denoiser.forward
        try:
            yield
        finally:
            self._denoiser.forward = compiled

    def undo(self) -> None:
        """Back to eager, for good; what compilation holds is given back."""
        if self.how == "whole":
            del self._denoiser.forward
        for part in self._blocks:
            part._compiled_call_impl = None  # what Module.compile sets
        forget()


def forget() -> None:
    """Give back all that torch holds compiled.

    It goes through its backends while those that nothing refers to any more are freed, and fails
    where that falls together; they are gone then, so it is asked once more.
    """
    try:
        torch.compiler.reset()
    except RuntimeError:
        gc.collect()
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
