"""Stable Diffusion 1.5, 2 and XL inpainting: a UNet that is told the mask, guided by a negative.

At strength 1 nothing under the mask counts: the pipelines start from pure noise and grey out what
is masked. They resize pictures of any other size than ``height`` and ``width`` without a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from renderer.painting.painters.diffusion.families.family import Embeddings, Family

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class StableDiffusion(Family):
    """The pipelines around a UNet and CLIP."""

    embeddings: tuple[str, ...]
    """What ``encode_prompt`` returns, in order, by the names that a call takes it under."""
    denoiser: str = "unet"
    flat: tuple[str, ...] = ("unet", "vae")
    multiple: int = 8
    graphs: bool = True
    own_sampler: bool = False

    def guided(self, pipeline: Any, scale: float) -> bool:
        return scale > 1 and pipeline.unet.config.time_cond_proj_dim is None

    def reads(self, pipeline: Any) -> tuple[Any, int]:
        # Two of the tokens are CLIP's own marks.
        return pipeline.tokenizer, pipeline.tokenizer.model_max_length - 2

    def encode(
        self, pipeline: Any, prompt: str, negative: str, *, guided: bool, device: torch.device
    ) -> Embeddings:
        """For SD (1, 77, width) each; for SDXL also the pooled (1, width) ones."""
        tensors = pipeline.encode_prompt(
            prompt=prompt,
            device=device,
            num_images_per_prompt=1,
            do_classifier_free_guidance=guided,
            # None is the model's own idea of "nothing": zeros in SDXL, an empty text in SD.
            negative_prompt=negative or None,
        )
        named = zip(self.embeddings, tensors, strict=True)
        return {name: tensor for name, tensor in named if tensor is not None}


SD = StableDiffusion(
    class_name="StableDiffusionInpaintPipeline",
    base_preset="sd2",
    models=("unet", "vae", "text_encoder"),
    embeddings=("prompt_embeds", "negative_prompt_embeds"),
    options={
        "safety_checker": None,
        "feature_extractor": None,
        "image_encoder": None,
        "requires_safety_checker": False,
    },
    prefers_bfloat16=False,
    halved=("prompt_embeds", "mask", "masked_image_latents"),
)
SDXL = StableDiffusion(
    class_name="StableDiffusionXLInpaintPipeline",
    base_preset="sdxl",
    models=("unet", "vae", "text_encoder", "text_encoder_2"),
    embeddings=(
        "prompt_embeds",
        "negative_prompt_embeds",
        "pooled_prompt_embeds",
        "negative_pooled_prompt_embeds",
    ),
    options={"add_watermarker": False, "feature_extractor": None, "image_encoder": None},
    halved=(
        "prompt_embeds",
        "mask",
        "masked_image_latents",
        "add_text_embeds",
        "add_time_ids",
    ),
)
