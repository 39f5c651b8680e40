"""Z-Image: a text-to-image model that a ControlNet has taught to fill in what is masked.

The ControlNet (Fun-ControlNet-Union 2.1, Alibaba PAI) is published on its own. It is given the
known area over grey, the mask, and a picture of edges, depth or a pose to follow, for which there
is plain grey here. Where nothing is known it is off. Without it, in dives, the model starts from
the picture itself. Guidance adds ``scale`` times the difference to the prompt's own prediction, so
0 switches it off, as 1 does elsewhere; Turbo wants 0. Sizes must be multiples of 16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renderer.painting.painters.diffusion.families.family import (
    Companion,
    Embeddings,
    Family,
    Inputs,
    chat_room,
)

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


class ZImageControlNet(ZImage):
    """Called with tensors as they are: in [-1, 1], where grey is 0."""

    def arguments(self, inputs: Inputs) -> dict[str, Any]:
        return {
            **inputs.common,
            "image": inputs.canvas * 2 - 1,
            "mask_image": inputs.mask,
            "control_image": inputs.canvas * 0,
            "guidance_scale": inputs.guidance_scale,
            **({"controlnet_conditioning_scale": 0.0} if inputs.first else {}),
        }


_Z_IMAGE: dict[str, Any] = {"base_preset": "z-image-turbo", "halved": ()}
_PARTS = ("transformer", "vae", "text_encoder")
Z_IMAGE = ZImageControlNet(
    class_name="ZImageControlNetInpaintPipeline",
    models=(*_PARTS, "controlnet"),
    at_less_strength=ZImage(class_name="ZImageInpaintPipeline", models=_PARTS, **_Z_IMAGE),
    **_Z_IMAGE,
)
Z_IMAGE_CONTROLNET = Companion(
    repo="alibaba-pai/Z-Image-Turbo-Fun-Controlnet-Union-2.0",
    file="Z-Image-Turbo-Fun-Controlnet-Union-2.1.safetensors",
    configuration="hlky/Z-Image-Turbo-Fun-Controlnet-Union-2.1",
    class_name="ZImageControlNetModel",
    part="controlnet",
)
