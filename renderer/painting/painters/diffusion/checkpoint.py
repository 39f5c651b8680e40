"""Checkpoints in a single .safetensors file: what they hold, told from their header alone.

Such a file holds weights, not how they are put together: that comes from the preset that is built
alike. Knows the names of CompVis/stable-diffusion, which Stability's releases and nearly all
finetunes use; knows no diffusers.
"""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

from renderer.errors import PainterError
from renderer.painting.painters.diffusion.hub_errors import one_line

_FIRST = "model.diffusion_model.input_blocks.0.0.weight"
_WORDS = "attn2.to_k.weight"
"""Ends the names of the layers that look at the prompt; their width is the text encoder's."""
_MASKED = 9
"""Channels that go into a UNet which is told the mask: latents, masked latents, and the mask."""
_PRESETS = {768: "sd15", 1024: "sd2", 2048: "sdxl"}


def find_base_preset(file: Path) -> str:
    """Name of the preset that is built like the checkpoint ``file``.

    Reads the header, milliseconds. Raises PainterError for a damaged file and for one that is
    something else, which is named.
    """
    try:
        with safe_open(file, framework="numpy") as opened:
            names = list(opened.keys())
            first = opened.get_slice(_FIRST).get_shape() if _FIRST in names else []
            widths = {opened.get_slice(name).get_shape()[-1] for name in names if _for_words(name)}
    except (SafetensorError, OSError) as error:
        raise PainterError(f"{file} is damaged ({one_line(error)}); download it again") from error
    base_preset = _PRESETS.get(widths.pop()) if len(widths) == 1 else None
    if len(first) != 4 or base_preset is None:
        raise PainterError(f"{file} is {_other_kind(names)}")
    if first[1] != _MASKED:
        # A ControlNet comes along with these.
        folders = ", or this one as a folder or hub id" if base_preset == "sdxl" else ""
        raise PainterError(
            f"{file} is a text-to-image checkpoint or the like ({first[1]} channels go in, not "
            f"{_MASKED}); an inpainting one is needed, e.g. the model {base_preset}{folders}"
        )
    return base_preset


def _for_words(name: str) -> bool:
    return name.startswith("model.diffusion_model.") and name.endswith(_WORDS)


def _other_kind(names: list[str]) -> str:
    if any("lora" in name for name in names):
        return "a LoRA, not a model; give it with --lora, and an inpainting model with --model"
    return (
        "no checkpoint of Stable Diffusion 1.5, 2 or XL; give the model's folder or hub id instead"
    )
