"""Kandinsky 2.2: a prior turns words into the embedding of a picture, a decoder paints from that.

They are published apart. The prior draws noise itself: always the same, so that a prompt has one
embedding, which is kept like any other. The decoder takes tensors as they are, in [-1, 1], and
returns them so; sizes must be multiples of 64, or its latents don't fit the picture's. White has
meant "paint" since diffusers 0.19. There is no strength.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renderer.painting.painters.diffusion.families.family import (
    Companion,
    Embeddings,
    Family,
    Inputs,
)

if TYPE_CHECKING:
    import torch

_SEED = 0


class Kandinsky(Family):
    """Called by its decoder alone, with embeddings (1, width) that the prior made before."""

    def reads(self, pipeline: Any) -> tuple[Any, int]:
        tokenizer = pipeline.prior_tokenizer
        return tokenizer, tokenizer.model_max_length - 2

    def encode(
        self, pipeline: Any, prompt: str, negative: str, *, guided: bool, device: torch.device
    ) -> Embeddings:
        from torch import Generator

        found = pipeline.prior_pipe(
            prompt,
            # None is the embedding of a black picture, which for its authors stands for "nothing".
            negative_prompt=(guided and negative) or None,
            generator=Generator("cpu").manual_seed(_SEED),
        )
        return {
            "image_embeds": found.image_embeds.to(device),
            "negative_image_embeds": found.negative_image_embeds.to(device),
        }

    def arguments(self, inputs: Inputs) -> dict[str, Any]:
        return {
            **inputs.common,
            "image": inputs.canvas * 2 - 1,
            "mask_image": inputs.mask.clone(),  # it is written to
            "guidance_scale": inputs.guidance_scale,
        }

    def paint(self, pipeline: Any, inputs: Inputs, **rest: Any) -> torch.Tensor:
        return (super().paint(pipeline.decoder_pipe, inputs, **rest) / 2 + 0.5).clamp(0, 1)


_PRIOR = ("prior", "image_encoder", "text_encoder")
KANDINSKY = Kandinsky(
    class_name="KandinskyV22InpaintCombinedPipeline",
    base_preset="kandinsky",
    models=("unet", "movq", *(f"prior_{part}" for part in _PRIOR)),
    denoiser="unet",
    flat=("unet", "movq"),
    prefers_bfloat16=False,
    multiple=64,
    halved=("image_embeds", "mask_image", "masked_image"),
    graphs=True,
    weighs_strength=False,
)
PRIOR = Companion(
    repo="kandinsky-community/kandinsky-2-2-prior",
    class_name="KandinskyV22PriorPipeline",
    part="prior_",
    models=_PRIOR,
)
