"""Models of any size with the weights that they begin with, saved as training saves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionInpaintPipeline

from training import save, unet
from training.captions import vocabulary
from training.models import (
    PADDING,
    Sizes,
    build_autoencoder,
    build_scheduler,
    build_text_encoder,
    build_unet,
)
from training.tokens import build_tokenizer


def save_untrained(sizes: Sizes, folder: Path) -> Path:
    """A folder as ``training.save`` writes it, of weights that nothing was taught."""
    torch.manual_seed(0)
    make: Any = StableDiffusionInpaintPipeline
    denoiser = build_unet(sizes)
    torch.nn.init.normal_(denoiser.conv_out.weight, std=0.02)  # else it paints the same everywhere
    pipeline = make(
        vae=build_autoencoder(sizes),
        text_encoder=build_text_encoder(sizes, vocabulary()),
        tokenizer=build_tokenizer(vocabulary()),
        unet=denoiser,
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        image_encoder=None,
        requires_safety_checker=False,
    )
    card = {
        "steps": unet.STEPS,
        "guidance_scale": unet.GUIDANCE,
        "padding": PADDING,
        "licence": "none",
    }
    save.write(pipeline, folder, card)
    return folder
