"""Full-size inpainting pipelines built from code with random weights, and a tiny one to try with.

The configurations are those of the published models (unet/config.json, vae/config.json and
text_encoder*/config.json of Stable Diffusion 2 and Stable Diffusion XL inpainting).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    StableDiffusionInpaintPipeline,
    StableDiffusionXLInpaintPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from tests.painting.tiny import NOISE, text_config, tiny_sd, tokenizer

_UNET = {
    "in_channels": 9,
    "out_channels": 4,
    "layers_per_block": 2,
    "use_linear_projection": True,
}
SD2_UNET = {
    **_UNET,
    "sample_size": 64,
    "down_block_types": (*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
    "up_block_types": ("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
    "block_out_channels": (320, 640, 1280, 1280),
    "cross_attention_dim": 1024,
    "attention_head_dim": (5, 10, 20, 20),
}
SDXL_UNET = {
    **_UNET,
    "sample_size": 128,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (320, 640, 1280),
    "transformer_layers_per_block": (1, 2, 10),
    "cross_attention_dim": 2048,
    "attention_head_dim": (5, 10, 20),
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
VAE = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "latent_channels": 4,
}
SD2_TEXT = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_attention_heads": 16,
    "num_hidden_layers": 23,
    "hidden_act": "gelu",
    "projection_dim": 512,
}
SDXL_TEXT = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "projection_dim": 768,
}
SDXL_TEXT_2 = {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_attention_heads": 20,
    "num_hidden_layers": 32,
    "hidden_act": "gelu",
    "projection_dim": 1280,
}
_VOCABULARY = 49408
"""Entries in CLIP's vocabulary."""


@dataclass(frozen=True, slots=True)
class Architecture:
    class_name: str
    """Of the pipeline."""
    build: Callable[[torch.device, torch.dtype], Any]


@contextmanager
def _made_as(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """New parameters are made there and so, without a copy elsewhere first."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with device:
            yield
    finally:
        torch.set_default_dtype(before)


def build_sd2(device: torch.device, dtype: torch.dtype) -> Any:
    """Stable Diffusion 2 inpainting: 866 M parameters in the UNet."""
    words = tokenizer()
    config = text_config(words, **SD2_TEXT, vocab_size=_VOCABULARY)
    with _made_as(device, dtype):
        unet = UNet2DConditionModel(**SD2_UNET)
        vae = AutoencoderKL(**VAE, sample_size=512, scaling_factor=0.18215)
        text_encoder = CLIPTextModel(config)
    return _ready(
        StableDiffusionInpaintPipeline(
            vae=vae,
            text_encoder=text_encoder,
            tokenizer=words,
            unet=unet,
            scheduler=DPMSolverMultistepScheduler(**NOISE, steps_offset=1),  # as the preset has it
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    )


def build_sdxl(device: torch.device, dtype: torch.dtype) -> Any:
    """Stable Diffusion XL inpainting: 2.6 G parameters in the UNet."""
    words = tokenizer()
    first = text_config(words, **SDXL_TEXT, vocab_size=_VOCABULARY)
    second = text_config(words, **SDXL_TEXT_2, vocab_size=_VOCABULARY)
    with _made_as(device, dtype):
        unet = UNet2DConditionModel(**SDXL_UNET)
        vae = AutoencoderKL(**VAE, sample_size=1024, scaling_factor=0.13025, force_upcast=False)
        text_encoder = CLIPTextModel(first)
        text_encoder_2 = CLIPTextModelWithProjection(second)
    return _ready(
        StableDiffusionXLInpaintPipeline(
            vae=vae,
            text_encoder=text_encoder,
            text_encoder_2=text_encoder_2,
            tokenizer=words,
            tokenizer_2=tokenizer(),
            unet=unet,
            scheduler=EulerDiscreteScheduler(**NOISE, steps_offset=1, timestep_spacing="leading"),
            add_watermarker=False,
        )
    )


def build_tiny(device: torch.device, dtype: torch.dtype) -> Any:
    """A few seconds on a CPU: to see that the benchmark runs."""
    return tiny_sd().to(device, dtype)


def _ready(pipeline: Any) -> Any:
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval().requires_grad_(False)
    return pipeline


ARCHITECTURES = {
    "sd2": Architecture("StableDiffusionInpaintPipeline", build_sd2),
    "sdxl": Architecture("StableDiffusionXLInpaintPipeline", build_sdxl),
    "tiny": Architecture("StableDiffusionInpaintPipeline", build_tiny),
}
