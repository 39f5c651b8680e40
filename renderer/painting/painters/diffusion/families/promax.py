"""A text-to-image Stable Diffusion XL, of any style, with a ControlNet that was trained to repaint.

ControlNet-Union "promax" (xinsir) is published on its own. It is shown the known area over black,
in the mode that repaints; the pipeline itself puts the known area back, freshly noised, after every
step (RePaint; Lugmayr et al. 2022). Where nothing is masked apart the model paints as it does
alone: in first pictures the ControlNet is off, in dives it is not even loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renderer.painting.painters.diffusion.families.family import Companion, Inputs
from renderer.painting.painters.diffusion.families.stable_diffusion import SDXL, StableDiffusion

if TYPE_CHECKING:
    import torch


class Promax(StableDiffusion):
    """Words as Stable Diffusion XL takes them, and a picture more."""

    def arguments(self, inputs: Inputs) -> dict[str, Any]:
        return {
            **super().arguments(inputs),
            "control_image": [self.shown(inputs)],
            "control_mode": [7],  # to repaint
            "controlnet_conditioning_scale": 0.0 if inputs.first else 1.0,
        }

    def paint(self, pipeline: Any, inputs: Inputs, **rest: Any) -> torch.Tensor:
        """As at full strength: the ControlNet sees what is known at any."""
        pictures: torch.Tensor = pipeline(**self.arguments(inputs), **rest).images
        return pictures


PROMAX = Promax(
    class_name="StableDiffusionXLControlNetUnionInpaintPipeline",
    base_preset="sdxl-promax",
    models=(*SDXL.models, "controlnet"),
    embeddings=SDXL.embeddings,
    options=SDXL.options,
    flat=("unet", "vae", "controlnet"),
    border=(0.0, 0.0, 0.0),
    at_less_strength=SDXL,
    graphs=False,
)
PROMAX_CONTROLNET = Companion(
    repo="brad-twinkl/controlnet-union-sdxl-1.0-promax",
    class_name="ControlNetUnionModel",
    part="controlnet",
)
