"""diffusers' own call of a pipeline, as its documentation shows it: what ours is held to."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from renderer.painting.geometry import Geometry
from renderer.painting.painters.diffusion.families.stable_diffusion import SD, SDXL
from renderer.painting.painters.diffusion.loading import Loaded
from renderer.settings.render import RenderSettings


def plain_call(loaded: Loaded, settings: RenderSettings) -> Callable[[], None] | None:
    """Paints a border of the settings' size and steps: PIL in and out, words encoded each time.

    None for a pipeline that takes other arguments.
    """
    if loaded.family.class_name not in {SD.class_name, SDXL.class_name}:
        return None
    geometry = Geometry.of(settings)
    width, height = geometry.canvas_size
    canvas = Image.new("RGB", (width, height), (128, 128, 128))
    mask = Image.new("L", (width, height), 255)
    mask.paste(0, (*geometry.known,))

    def call() -> None:
        loaded.pipeline(
            prompt=settings.prompt,
            negative_prompt=settings.negative_prompt,
            image=canvas,
            mask_image=mask,
            height=height,
            width=width,
            strength=settings.strength,
            num_inference_steps=settings.steps,
            guidance_scale=settings.guidance_scale,
        )

    return call
