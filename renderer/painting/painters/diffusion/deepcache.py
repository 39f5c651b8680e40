"""Keeps what a UNet's inner blocks computed, so that the next steps run only its outer blocks.

Deep features change slowly from one step to the next, and cost most (Ma, Fang & Wang, "DeepCache:
Accelerating Diffusion Models for Free", CVPR 2024). A whole step runs everything; in a shallow one
all blocks but the first on the way down and the last on the way up hand back what they gave in the
last whole one. Knows UNets of diffusers; knows nothing of pipelines and pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from renderer.settings.speed_levels import LEAST_STEPS


class DeepCache:
    """Which steps of a call are shallow. Nothing of a call outlives ``around``.

    ``every``: one step in so many is whole, and so are the first and the last; 1: all are.
    """

    def __init__(self, every: int) -> None:
        self._every = every
        self._age = 0
        self._shallow = False

    @contextmanager
    def around(self, unet: Any) -> Iterator[None]:
        """Surrounds one call of the pipeline, whose first step is the next."""
        self._age = 0
        self._shallow = False
        with ExitStack() as stack:
            for block in inner_blocks(unet) if self._every > 1 else ():
                stack.enter_context(self._keeping(block))
            yield

    def at_step_end(self, index: int, total: int, *, changed: bool) -> None:
        """Choose how the step after step ``index`` of ``total`` is run.

        ``changed``: from then on the UNet gets another batch, so what is kept no longer fits.
        """
        self._age += 1
        last = index + 2 >= total
        # Few steps are so far apart that their features differ: a seam pass, say.
        whole = changed or last or self._age >= self._every or total < LEAST_STEPS
        self._shallow = not whole
        if whole:
            self._age = 0

    @contextmanager
    def _keeping(self, block: torch.nn.Module) -> Iterator[None]:
        """Put a forward pass in front of the block's own, which may be that of an offload hook."""
        own = vars(block).get("forward")
        forward = block.forward
        kept: list[Any] = []

        def hand_back(*args: Any, **named: Any) -> Any:
            if not self._shallow:
                kept.clear()  # before there is something new: never both
                kept.append(forward(*args, **named))
            return kept[0]

        block.forward = hand_back
        try:
            yield
        finally:
            kept.clear()
            if own is None:
                del block.forward
            else:
                block.forward = own


def inner_blocks(unet: Any) -> list[torch.nn.Module]:
    """All but the first block on the way down and the last on the way up, which are the outer ones.

    The last one reads the one before it and what the first one gave: nothing else from inside.
    """
    middle = [] if unet.mid_block is None else [unet.mid_block]
    return [*unet.down_blocks[1:], *middle, *unet.up_blocks[:-1]]
