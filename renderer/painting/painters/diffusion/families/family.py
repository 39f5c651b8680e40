"""What one kind of pipeline is to this painter: its parts, its words, and how it is called.

Every kind is one value of ``Family``; a kind that behaves unlike the others is a subclass that
overrides how a prompt is encoded or how a picture is painted. Light: torch is named in annotations
only, and what is done to tensors is left to their own methods.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Embeddings = dict[str, Any]
"""Arguments of a call that stand for its words: tensors, or lists of them, one a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What is to be painted, N times, before it is put into a pipeline's own arguments.

    N is 1 but for families that paint in batches.
    """

    canvas: torch.Tensor
    """(N, 3, H, W) in [0, 1], on the device; plain grey where nothing is known."""
    mask: torch.Tensor
    """(N, 1, H, W), 1 = paint, 0 = known; in whole cells."""
    steps: int
    guidance_scale: float
    strength: float
    first: bool
    """Nothing is known: the mask is 1 everywhere."""
    enlarged: float
    """In a dive, how many times as large the canvas is as the picture that it was; else 0."""

    @property
    def common(self) -> dict[str, Any]:
        """What all pipelines take under the same names."""
        height, width = self.mask.shape[-2:]
        return {
            "height": height,
            "width": width,
            "num_inference_steps": self.steps,
            "output_type": "pt",
        }

    @property
    def borders(self) -> bool:
        """A border is painted, from nothing but noise."""
        return self.strength == 1 and not self.first and not self.enlarged


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """Parts that a published model lacks and that come from another repository."""

    repo: str
    """Id on the Hugging Face hub."""
    file: str = ""
    """The one file there that holds the model in its makers' layout; empty: diffusers' own."""
    configuration: str = ""
    """Where that file's ``config.json`` is: another repository."""
    class_name: str
    """Of diffusers: a pipeline, whose parts are all taken, or one model."""
    part: str
    """Name of the one model in the whole pipeline; for a pipeline, the prefix that its parts'
    names get."""
    models: tuple[str, ...] = ()
    """Sub-folders that hold weights; none where the repository holds one model at its top."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """One pipeline class of diffusers, called in its own way."""

    class_name: str
    base_preset: str
    """Name of the preset whose settings suit it."""
    models: tuple[str, ...]
    """Sub-folders that hold weights; every one is needed."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Given to ``from_pretrained``: what is switched off."""
    companion: Companion | None = None
    lora: str = ""
    """On the hub, ``owner/name/file.safetensors``: what it can't paint a border without."""
    instruction: str = ""
    """What stands before the prompt where a border is painted, its last space included."""
    border: tuple[float, float, float] | None = None
    """The colour, in [0, 1], that it is shown where a border is to be. None: a mirror image, as it
    is in the job; the pipeline blanks out itself what its mask covers."""
    at_less_strength: Family | None = None
    """Another way to call the same weights, in dives and below strength 1 (``Promax``: in dives
    alone): from the picture."""
    denoiser: str = "transformer"
    flat: tuple[str, ...] = ("vae",)
    """Parts made of two-dimensional convolutions, which are faster channels last."""
    prefers_bfloat16: bool = True
    """float16 overflows somewhere in it."""
    multiple: int = 16
    """Sides of a canvas are multiples of this, px: cells of the latents, in patches."""
    cell: int = 8
    """Side of the squares, px, in each of which the pipeline looks at one pixel, or averages a few,
    to tell whether the square is masked."""
    area: int | None = None
    """The largest canvas, px; the pipeline would silently shrink a larger one."""
    halved: tuple[str, ...] | None = None
    """Tensors of a call whose first half stands for the negative prompt; None: guidance can't be
    left out of single steps."""
    graphs: bool = False
    """Its denoiser takes and returns plain tensors of one shape, as CUDA graphs need it."""
    weighs_strength: bool = True
    """It takes a strength; otherwise it always starts from pure noise."""
    own_sampler: bool = True
    """It works only with the sampler that it was published with."""
    stray_noise: bool = False
    """It also draws noise from torch's global generator, so it paints one picture at a time."""

    @property
    def has_unet(self) -> bool:
        """Its denoiser is a UNet of diffusers: blocks on the way down, in the middle, and up."""
        return self.denoiser == "unet"

    def guided(self, pipeline: Any, scale: float) -> bool:
        """Whether a call runs the model a second time for the negative prompt."""
        return scale > 1

    def reads(self, pipeline: Any) -> tuple[Any, int]:
        """The tokenizer, and how many tokens of a prompt the model sees at most."""
        raise NotImplementedError

    def encode(
        self, pipeline: Any, prompt: str, negative: str, *, guided: bool, device: torch.device
    ) -> Embeddings:
        """The two texts as arguments of a call for one picture; without ``guided`` only the first.

        Call it under ``torch.no_grad``.
        """
        raise NotImplementedError

    def shown(self, inputs: Inputs) -> torch.Tensor:
        """The canvas as the model is to see it, (N, 3, H, W) in [0, 1]."""
        if self.border is None:
            return inputs.canvas
        colour = inputs.canvas.new_tensor(self.border)[:, None, None]
        return inputs.canvas * (1 - inputs.mask) + colour * inputs.mask

    def arguments(self, inputs: Inputs) -> dict[str, Any]:
        """One picture's canvas, mask and numbers, as most pipelines take them."""
        return {
            **inputs.common,
            "image": inputs.canvas,
            "mask_image": inputs.mask,
            "strength": inputs.strength,
            "guidance_scale": inputs.guidance_scale,
        }

    def paint(self, pipeline: Any, inputs: Inputs, **rest: Any) -> torch.Tensor:
        """Call the pipeline; the pictures, (N, 3, H, W) in [0, 1] or not finite.

        ``rest``: embeddings, generator and callback, which have the same names everywhere.
        """
        other = self.at_less_strength
        if inputs.strength < 1 and other is not None:
            return other.paint(sibling(pipeline, other.class_name), inputs, **rest)
        pictures: torch.Tensor = pipeline(**self.arguments(inputs), **rest).images
        return pictures


def sibling(pipeline: Any, class_name: str) -> Any:
    """A pipeline of another class of diffusers around the same parts, which are not copied."""
    import diffusers

    kind = getattr(diffusers, class_name)
    wanted = inspect.signature(kind).parameters
    given = {**pipeline.config, **pipeline.components}
    made = kind(**{name: value for name, value in given.items() if name in wanted})
    made.set_progress_bar_config(disable=True)
    return made


def chat_room(tokenizer: Any, most: int) -> int:
    """How many of ``most`` tokens a prompt may have where it is framed as a message of a chat."""
    frame = tokenizer.apply_chat_template(
        [{"role": "user", "content": ""}], tokenize=False, add_generation_prompt=True
    )
    return most - len(tokenizer(frame)["input_ids"])
