"""Z-Image: a text-to-image model whose known area is put back, freshly noised, after every step.

(RePaint; Lugmayr et al. 2022.) Guidance adds ``scale`` times the difference to the prompt's own
prediction, so 0 switches it off, as 1 does elsewhere; Turbo wants 0. The pipeline refuses sizes
that are no multiples of 16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renderer.painting.painters.diffusion.families.family import Embeddings, Family, chat_room

if TYPE_CHECKING:
    import torch

_TOKENS = 512


class ZImage(Family):
    """Its embeddings are lists with one (tokens, width) a picture, as long as the prompt is."""

    def guided(self, pipeline: Any, scale: float) -> bool:
        return scale > 0

    def reads(self, pipeline: Any) -> tuple[Any, int]:
        return pipeline.tokenizer, chat_room(pipeline.tokenizer, _TOKENS)

    def encode(
        self, pipeline: Any, prompt: str, negative: str, *, guided: bool, device: torch.device
    ) -> Embeddings:
        words, nothing = pipeline.encode_prompt(
            prompt=prompt,
            device=device,
            do_classifier_free_guidance=guided,
            negative_prompt=negative,
            max_sequence_length=_TOKENS,
        )
        embeddings = {"prompt_embeds": words}
        if guided:
            embeddings["negative_prompt_embeds"] = nothing
        return embeddings


Z_IMAGE = ZImage(
    class_name="ZImageInpaintPipeline",
    base_preset="z-image-turbo",
    models=("transformer", "vae", "text_encoder"),
    halved=(),
)
