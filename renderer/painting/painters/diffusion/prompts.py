"""Prompts as the model's text encoders see them, encoded once and kept."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import Any

import torch

from renderer.painting.painters import PaintJob
from renderer.painting.painters.diffusion.families.family import Embeddings, Family

log = logging.getLogger("renderer.painting.diffusion")

_KEPT = 8


class Prompts:
    """The embeddings of the last few (prompt, negative prompt) pairs.

    ``guided``: whether classifier-free guidance is on; without it there is no negative prompt.
    """

    def __init__(self, pipeline: Any, family: Family, device: torch.device, guided: bool) -> None:
        self._pipeline = pipeline
        self._family = family
        self._device = device
        self._guided = guided
        self._kept: OrderedDict[tuple[str, str], Embeddings] = OrderedDict()

    def of(self, job: PaintJob, instruction: str = "") -> Embeddings:
        """The embeddings of a job's words, part of the way from its earlier prompt if it has one.

        ``instruction`` stands before both prompts; the negative prompt is the job's alone. Call it
        under ``torch.no_grad``.
        """
        now = self.encode(instruction + job.prompt, job.negative_prompt)
        if not job.earlier_prompt:
            return now
        earlier = self.encode(instruction + job.earlier_prompt, job.negative_prompt)
        return {name: mixed(earlier[name], now[name], job.blend) for name in now}

    def encode(self, prompt: str, negative: str) -> Embeddings:
        """The arguments that stand for the two texts in a call of the pipeline.

        Runs the text encoders only for a pair not seen lately. Call it under ``torch.no_grad``.
        """
        key = (prompt, negative)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        for text in (prompt, negative):
            self._warn_if_cut(text)
        self._kept[key] = self._family.encode(
            self._pipeline, prompt, negative, guided=self._guided, device=self._device
        )
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    def _warn_if_cut(self, text: str) -> None:
        """Say which words are beyond what the model reads."""
        tokenizer, most = self._family.reads(self._pipeline)
        tokens = tokenizer(text, truncation=False, add_special_tokens=False, verbose=False)
        tokens = tokens["input_ids"]
        if len(tokens) > most:
            log.warning(
                "the model reads %d tokens of a prompt; not seen: %r",
                most,
                tokenizer.decode(tokens[most:]).strip(),
            )


def repeated(embeddings: Embeddings, count: int) -> Embeddings:
    """The words of one picture as those of ``count``."""
    if count == 1:
        return embeddings
    return {
        name: value * count
        if isinstance(value, list)
        else value.repeat(count, *[1] * (value.ndim - 1))
        for name, value in embeddings.items()
    }


def mixed(earlier: Any, now: Any, share: float) -> Any:
    """``share`` of the way from one text's embeddings to another's, along a straight line.

    Tensors (…, tokens, width), or lists of them; what is no floating point number is a mask
    (…, tokens). Straight, not along a sphere: attention makes keys and values of tokens by linear
    maps, so what the denoiser sees of a mix is the same mix of what it sees of each. Of two texts
    of different length the shorter is continued by its last token.
    """
    if isinstance(now, list):
        return [mixed(one, other, share) for one, other in zip(earlier, now, strict=True)]
    if earlier is None or now is None:
        return now
    if not now.is_floating_point():
        return torch.maximum(*_equally_long(earlier, now, axis=-1))
    return torch.lerp(*_equally_long(earlier, now, axis=-2), share)


def _equally_long(
    one: torch.Tensor, other: torch.Tensor, axis: int
) -> tuple[torch.Tensor, torch.Tensor]:
    length = max(one.shape[axis], other.shape[axis])

    def continued(tensor: torch.Tensor) -> torch.Tensor:
        last = tensor.narrow(axis, tensor.shape[axis] - 1, 1)
        return torch.cat([tensor, *[last] * (length - tensor.shape[axis])], dim=axis)

    return continued(one), continued(other)
