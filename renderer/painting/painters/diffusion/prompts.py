"""Prompts as the model's text encoders see them, encoded once and kept."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import Any

import torch

from renderer.painting.painters.diffusion.families import Family

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
        self._kept: OrderedDict[tuple[str, str], dict[str, torch.Tensor]] = OrderedDict()

    def encode(self, prompt: str, negative: str) -> dict[str, torch.Tensor]:
        """The arguments that stand for the two texts in a call of the pipeline.

        For SD (1, 77, width) each; for SDXL also the pooled (1, width) ones. Runs the text
        encoders only for a pair not seen lately. Call it under ``torch.no_grad``.
        """
        key = (prompt, negative)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        for text in (prompt, negative):
            self._warn_if_cut(text)
        tensors = self._pipeline.encode_prompt(
            prompt=prompt,
            device=self._device,
            num_images_per_prompt=1,
            do_classifier_free_guidance=self._guided,
            # None is the model's own idea of "nothing": zeros in SDXL, an empty text in SD.
            negative_prompt=negative or None,
        )
        named = zip(self._family.embeddings, tensors, strict=True)
        self._kept[key] = {name: tensor for name, tensor in named if tensor is not None}
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    def _warn_if_cut(self, text: str) -> None:
        """Say which words are beyond what CLIP reads (77 tokens, two of them its own marks)."""
        tokenizer = self._pipeline.tokenizer
        length = tokenizer.model_max_length
        tokens = tokenizer(text, truncation=False, add_special_tokens=False, verbose=False)
        tokens = tokens["input_ids"]
        if len(tokens) > length - 2:
            log.warning(
                "the model reads %d tokens of a prompt; not seen: %r",
                length - 2,
                tokenizer.decode(tokens[length - 2 :]).strip(),
            )
