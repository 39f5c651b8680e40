"""A text-to-image Stable Diffusion XL, of any style, with a ControlNet that was trained to repaint.

ControlNet-Union "promax" (xinsir) is published on its own. It is shown the known area over black,
in the mode that repaints; the pipeline itself puts the known area back, freshly noised, after every
step (RePaint; Lugmayr et al. 2022). Where nothing is masked apart, in first pictures and dives, the
ControlNet is off and the model paints as it does alone.
"""

from __future__ import annotations

from typing import Any

from renderer.painting.painters.diffusion.families.family import Companion, Inputs
from renderer.painting.painters.diffusion.families.stable_diffusion import SDXL, StableDiffusion


class Promax(StableDiffusion):
    """Words as Stable Diffusion XL takes them, and a picture more."""

    def arguments(self, inputs: Inputs) -> dict[str, Any]:
        alone = inputs.first or inputs.enlarged
        return {
            **super().arguments(inputs),
            "control_image": [self.shown(inputs)],
            "control_mode": [7],  # to repaint
            "controlnet_conditioning_scale": 0.0 if alone else 1.0,
        }


PROMAX = Promax(
    class_name="StableDiffusionXLControlNetUnionInpaintPipeline",
    base_preset="sdxl-promax",
    models=(*SDXL.models, "controlnet"),
    embeddings=SDXL.embeddings,
    options=SDXL.options,
    flat=("unet", "vae", "controlnet"),
    border=(0.0, 0.0, 0.0),
    graphs=False,
)
PROMAX_CONTROLNET = Companion(
    repo="brad-twinkl/controlnet-union-sdxl-1.0-promax",
    class_name="ControlNetUnionModel",
    part="controlnet",
)
