"""FLUX.1 Fill, which is told the mask, and FLUX.2 klein, which edits a picture that it sees.

FLUX.1 Fill has its guidance trained in: a number that the model reads (30 suits it), one run a
step, no negative prompt. klein is guided by a negative prompt like Stable Diffusion unless it is
distilled; then the scale does nothing. klein's pipeline ignores height and width, takes the
canvas's own size and shrinks what is larger than 1024 x 1024 without a word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from renderer.painting.painters.diffusion.families.family import (
    Embeddings,
    Family,
    Inputs,
    chat_room,
)

if TYPE_CHECKING:
    import torch

_TOKENS = 512
"""How many tokens both pipelines read if not told otherwise."""
_GREY = 0.5


class FluxFill(Family):
    """FLUX.1 Fill: it reads the words as T5 encodes them, and as CLIP sums them up."""

    def guided(self, pipeline: Any, scale: float) -> bool:
        return False

    def reads(self, pipeline: Any) -> tuple[Any, int]:
        return pipeline.tokenizer_2, _TOKENS - 1  # T5 marks the end

    def encode(
        self,
        pipeline: Any,
        prompt: str,
        negative: str,
        *,
        guided: bool,
        device: torch.device,
    ) -> Embeddings:
        """T5's (1, 512, width) and CLIP's (1, width)."""
        words, pooled, _ = pipeline.encode_prompt(
            prompt=prompt, device=device, max_sequence_length=_TOKENS
        )
        return {"prompt_embeds": words, "pooled_prompt_embeds": pooled}


class Klein(Family):
    """FLUX.2 klein: it sees the whole canvas as a picture to edit, what is masked as well."""

    def guided(self, pipeline: Any, scale: float) -> bool:
        return scale > 1 and not pipeline.config.is_distilled

    def reads(self, pipeline: Any) -> tuple[Any, int]:
        return pipeline.tokenizer, chat_room(pipeline.tokenizer, _TOKENS)

    def encode(
        self, pipeline: Any, prompt: str, negative: str, *, guided: bool, device: torch.device
    ) -> Embeddings:
        """(1, 512, width) each."""
        embeddings = {"prompt_embeds": pipeline.encode_prompt(prompt=prompt, device=device)[0]}
        if guided:
            nothing = pipeline.encode_prompt(prompt=negative, device=device)[0]
            embeddings["negative_prompt_embeds"] = nothing
        return embeddings

    def arguments(self, inputs: Inputs) -> dict[str, Any]:
        # At full strength what is masked should say nothing, so it is grey and no mirrored picture.
        if inputs.strength == 1:
            blank = inputs.canvas * (1 - inputs.mask) + _GREY * inputs.mask
            inputs = replace(inputs, canvas=blank)
        return super().arguments(inputs)

    def paint(self, pipeline: Any, inputs: Inputs, **rest: Any) -> torch.Tensor:
        if not inputs.first:
            return super().paint(pipeline, inputs, **rest)
        # There is nothing to edit yet, and grey would be taken for a picture: words alone.
        import diffusers

        plain: Any = diffusers.Flux2KleinPipeline
        painting = plain(**pipeline.components, is_distilled=pipeline.config.is_distilled)
        painting.set_progress_bar_config(disable=True)
        pictures: torch.Tensor = painting(
            **inputs.common, guidance_scale=inputs.guidance_scale, **rest
        ).images
        return pictures


FLUX_FILL = FluxFill(
    class_name="FluxFillPipeline",
    base_preset="flux-fill",
    models=("transformer", "vae", "text_encoder", "text_encoder_2"),
)
KLEIN = Klein(
    class_name="Flux2KleinInpaintPipeline",
    base_preset="klein",
    models=("transformer", "vae", "text_encoder"),
    cell=16,
    area=1024 * 1024,
    halved=(),
)
