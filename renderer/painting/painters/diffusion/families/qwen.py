"""Qwen-Image with a ControlNet that was trained to fill in what is masked, outside included.

The ControlNet is published on its own. Guidance is called ``true_cfg_scale`` and works only where
there is a negative prompt; the model's authors use a space for none. There is no strength. The
pipeline takes tensors as they are: in [-1, 1]. It encodes the known area with noise from torch's
global generator, which must therefore be seeded.
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

_NOTHING = " "


class QwenControlNet(Family):
    """Each text is a tensor (1, tokens, width) and a mask of its tokens, which may be missing."""

    def reads(self, pipeline: Any) -> tuple[Any, int]:
        return pipeline.tokenizer, pipeline.tokenizer_max_length

    def encode(
        self, pipeline: Any, prompt: str, negative: str, *, guided: bool, device: torch.device
    ) -> Embeddings:
        texts = {"": prompt, "negative_": negative or _NOTHING} if guided else {"": prompt}
        embeddings: Embeddings = {}
        for kind, text in texts.items():
            words, mask = pipeline.encode_prompt(
                prompt=text, device=device, max_sequence_length=pipeline.tokenizer_max_length
            )
            embeddings[f"{kind}prompt_embeds"] = words
            embeddings[f"{kind}prompt_embeds_mask"] = mask
        return embeddings

    def arguments(self, inputs: Inputs) -> dict[str, Any]:
        return {
            **inputs.common,
            "control_image": inputs.canvas * 2 - 1,
            "control_mask": inputs.mask,
            "true_cfg_scale": inputs.guidance_scale,
        }


QWEN = QwenControlNet(
    class_name="QwenImageControlNetInpaintPipeline",
    base_preset="qwen",
    models=("transformer", "vae", "text_encoder", "controlnet"),
    flat=(),
    weighs_strength=False,
    stray_noise=True,
)
CONTROLNET = Companion(
    repo="InstantX/Qwen-Image-ControlNet-Inpainting",
    class_name="QwenImageControlNetModel",
    part="controlnet",
)
