"""Stable Diffusion's ×4 upscaler: it sees a small picture and paints it four times as large.

It only dives. It is shown the picture that the canvas was enlarged from; where the zoom factor is
below 4, what it paints is scaled down to the canvas. Strength is the noise that it adds to what it
is shown before it looks at it. Its pipeline reports its steps in an older way than all others.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from renderer.errors import PainterError
from renderer.painting.painters.diffusion.families.family import Inputs
from renderer.painting.painters.diffusion.families.stable_diffusion import SD, StableDiffusion
from renderer.settings.presets import NO_FIRST_PICTURE

if TYPE_CHECKING:
    import torch

_CELL = 8
"""Sides of what it is shown are multiples of this, px: its UNet halves them three times."""
_NOISE = 50
"""Level of noise at strength 1: at 0.4 it is 20, which its pipeline adds if not told otherwise."""


class Upscaler(StableDiffusion):
    """Words as Stable Diffusion takes them; a picture where others take a canvas and a mask."""

    def paint(self, pipeline: Any, inputs: Inputs, **rest: Any) -> torch.Tensor:
        step_end = rest.pop("callback_on_step_end")
        del rest["callback_on_step_end_tensor_inputs"]
        if not inputs.enlarged:
            raise PainterError(f"this model {NO_FIRST_PICTURE}")

        def callback(step: int, time: Any, latents: torch.Tensor) -> None:
            steps = SimpleNamespace(num_timesteps=len(pipeline.scheduler.timesteps))
            step_end(steps, step, time, {"latents": latents})

        size = inputs.canvas.shape[-2:]
        shown = [max(1, round(side / inputs.enlarged / _CELL)) * _CELL for side in size]
        pictures = pipeline(
            image=_scaled(inputs.canvas, shown),
            num_inference_steps=inputs.steps,
            guidance_scale=inputs.guidance_scale,
            noise_level=round(_NOISE * inputs.strength),
            output_type="pt",
            callback=callback,
            **rest,
        ).images
        return _scaled(pictures, size)


def _scaled(pictures: torch.Tensor, size: Any) -> torch.Tensor:
    """(N, 3, H, W) at another (height, width)."""
    from torch.nn.functional import interpolate

    if tuple(pictures.shape[-2:]) == tuple(size):
        return pictures
    scaled = interpolate(pictures.float(), tuple(size), mode="bicubic", antialias=True)
    return scaled.clamp(0, 1)


SD_X4 = Upscaler(
    class_name="StableDiffusionUpscalePipeline",
    base_preset="sd-x4",
    models=SD.models,
    embeddings=SD.embeddings,
    options={"safety_checker": None, "feature_extractor": None, "watermarker": None},
    prefers_bfloat16=False,
    graphs=False,
)
