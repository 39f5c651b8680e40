"""FLUX.1 Fill, which is told the mask, and FLUX.2 klein, which edits a picture that it sees.

FLUX.1 Fill has its guidance trained in: a number that the model reads (30 suits it), one run a
step, no negative prompt. klein is guided by a negative prompt like Stable Diffusion unless it is
distilled; then the scale does nothing. It has no notion of a mask: asked with one it paints a new
picture. A LoRA has taught it to fill in what is green, at an instruction; what it answers is the
whole picture painted anew, whose middle is put back later. Its pipelines shrink what is larger than
1024 x 1024 without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renderer.errors import SettingsError
from renderer.painting.painters.diffusion.families.family import (
    Embeddings,
    Family,
    Inputs,
    chat_room,
    sibling,
)

if TYPE_CHECKING:
    import torch

_TOKENS = 512
"""How many tokens both pipelines read if not told otherwise."""


class FluxFill(Family):
    """FLUX.1 Fill: it reads the words as T5 encodes them, and as CLIP sums them up."""

    def guided(self, pipeline: Any, scale: float) -> bool:
        return False

    def reads(self, pipeline: Any) -> tuple[Any, int]:
        return pipeline.tokenizer_2, _TOKENS - 1  # T5 marks the end

    def encode(
        self, pipeline: Any, prompt: str, negative: str, *, guided: bool, device: torch.device
    ) -> Embeddings:
        """T5's (1, 512, width) and CLIP's (1, width)."""
        words, pooled, _ = pipeline.encode_prompt(
            prompt=prompt, device=device, max_sequence_length=_TOKENS
        )
        return {"prompt_embeds": words, "pooled_prompt_embeds": pooled}


class Klein(Family):
    """FLUX.2 klein; its embeddings are (1, 512, width) each."""

    def guided(self, pipeline: Any, scale: float) -> bool:
        return scale > 1 and not pipeline.config.is_distilled

    def reads(self, pipeline: Any) -> tuple[Any, int]:
        return pipeline.tokenizer, chat_room(pipeline.tokenizer, _TOKENS)

    def encode(
        self, pipeline: Any, prompt: str, negative: str, *, guided: bool, device: torch.device
    ) -> Embeddings:
        embeddings = {"prompt_embeds": pipeline.encode_prompt(prompt=prompt, device=device)[0]}
        if guided:
            nothing = pipeline.encode_prompt(prompt=negative, device=device)[0]
            embeddings["negative_prompt_embeds"] = nothing
        return embeddings


class KleinInpaint(Klein):
    """As it starts from a picture: from a part of its noise."""

    def paint(self, pipeline: Any, inputs: Inputs, **rest: Any) -> torch.Tensor:
        if inputs.first:  # there is no picture yet, and grey would be taken for one
            return KLEIN.paint(sibling(pipeline, KLEIN.class_name), inputs, **rest)
        return super().paint(pipeline, inputs, **rest)


class KleinEdit(Klein):
    """As it paints a picture from words, and from another picture if there is one."""

    def arguments(self, inputs: Inputs) -> dict[str, Any]:
        from diffusers.image_processor import VaeImageProcessor as Processor

        arguments = {**inputs.common, "guidance_scale": inputs.guidance_scale}
        if inputs.first:
            return arguments
        height, width = inputs.canvas.shape[-2:]
        if min(height, width) < 64 or not 1 / 8 <= width / height <= 8:  # its pipeline's bounds
            line = f"klein edits pictures from 64 px and up to 8:1, not {width}x{height}"
            raise SettingsError(line, "keyframe_size")
        shown = Processor.pt_to_numpy(self.shown(inputs)[:1])
        return {**arguments, "image": Processor.numpy_to_pil(shown)}


_PARTS = ("transformer", "vae", "text_encoder")
FLUX_FILL = FluxFill(
    class_name="FluxFillPipeline",
    base_preset="flux-fill",
    models=(*_PARTS, "text_encoder_2"),
)
_KLEIN: Any = {"base_preset": "klein", "models": _PARTS, "cell": 16, "area": 1 << 20, "halved": ()}
KLEIN = KleinEdit(
    class_name="Flux2KleinPipeline",
    lora="fal/flux-2-klein-4B-outpaint-lora/flux-outpaint-lora.safetensors",
    instruction="Fill the green spaces according to the image. ",
    border=(0.0, 1.0, 0.0),
    at_less_strength=KleinInpaint(class_name="Flux2KleinInpaintPipeline", **_KLEIN),
    **_KLEIN,
)
