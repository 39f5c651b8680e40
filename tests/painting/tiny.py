"""Tiny Stable Diffusion and SDXL inpainting pipelines, built from code with random weights.

The architecture is the real one (nine channels, a VAE that divides by eight, real tokenizers that
tell every prompt apart), the sizes are not: about 1.5 M parameters, a call takes 0.2 s on one core.
Every part is seeded, so a pipeline has the same weights in every run.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DDPMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionInpaintPipeline,
    StableDiffusionUpscalePipeline,
    StableDiffusionXLInpaintPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

START, END = "<|startoftext|>", "<|endoftext|>"
NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def tiny_sd(channels: int = 9) -> StableDiffusionInpaintPipeline:
    """An SD 1.5/2-like inpainting pipeline; 4 channels: as of a model made for text-to-image."""
    torch.manual_seed(0)
    words = tokenizer()
    pipeline = StableDiffusionInpaintPipeline(
        vae=_vae(0.18215),
        text_encoder=CLIPTextModel(text_config(words, num_hidden_layers=2)),
        tokenizer=words,
        unet=_unet(in_channels=channels, cross_attention_dim=32, attention_head_dim=8),
        scheduler=DDIMScheduler(**NOISE, clip_sample=False, set_alpha_to_one=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return _ready(pipeline)


def tiny_sdxl(channels: int = 9) -> StableDiffusionXLInpaintPipeline:
    """An SDXL-like inpainting pipeline: two text encoders, pooled embeddings, time ids.

    4 channels: with the UNet of a model made for text-to-image.
    """
    torch.manual_seed(0)
    words = tokenizer()
    text = text_config(words, num_hidden_layers=3, hidden_act="gelu", projection_dim=32)
    pipeline = StableDiffusionXLInpaintPipeline(
        vae=_vae(0.13025),
        text_encoder=CLIPTextModel(text),
        text_encoder_2=CLIPTextModelWithProjection(text),
        tokenizer=words,
        tokenizer_2=tokenizer(),
        unet=_unet(
            in_channels=channels,
            cross_attention_dim=64,
            attention_head_dim=(2, 4),
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            transformer_layers_per_block=(1, 2),
            projection_class_embeddings_input_dim=6 * 8 + 32,
        ),
        scheduler=EulerDiscreteScheduler(**NOISE, steps_offset=1, timestep_spacing="leading"),
        add_watermarker=False,
    )
    return _ready(pipeline)


def tiny_upscaler() -> StableDiffusionUpscalePipeline:
    """Like SD's x4 upscaler: it sees a picture, is told its noise; its VAE divides by 4."""
    torch.manual_seed(0)
    words = tokenizer()
    pipeline = StableDiffusionUpscalePipeline(
        vae=_vae(0.08333, depth=3),
        text_encoder=CLIPTextModel(text_config(words, num_hidden_layers=2)),
        tokenizer=words,
        unet=_unet(
            in_channels=7, cross_attention_dim=32, attention_head_dim=8, num_class_embeds=1000
        ),
        low_res_scheduler=DDPMScheduler(**NOISE),
        scheduler=DDIMScheduler(**NOISE, clip_sample=False, set_alpha_to_one=False, steps_offset=1),
        max_noise_level=350,
    )
    return _ready(pipeline)


def _ready(pipeline: Any) -> Any:
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval()
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def byte_signs() -> list[str]:
    """The byte-level alphabet of GPT-2, CLIP and Qwen: 256 signs, one for each byte.

    Bytes without a printable sign of their own move above 255.
    """
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(byte) for byte in plain] + [chr(256 + n) for n in range(256 - len(plain))]


def tokenizer() -> CLIPTokenizer:
    """One token a byte, twice (inside and at the end of a word), and the two marks; no merges."""
    signs = byte_signs()
    tokens = [*signs, *(sign + "</w>" for sign in signs), START, END]
    return CLIPTokenizer(
        vocab={token: number for number, token in enumerate(tokens)},
        merges=[],
        unk_token=END,
        bos_token=START,
        eos_token=END,
        pad_token=END,
        model_max_length=77,
    )


def text_config(words: CLIPTokenizer, **more: Any) -> CLIPTextConfig:
    """The configuration of a tiny CLIP text model for a tokenizer, or what ``more`` makes of it."""
    values = {
        "vocab_size": len(words),
        "bos_token_id": words.bos_token_id,
        "eos_token_id": words.eos_token_id,
        "pad_token_id": words.pad_token_id,
        "max_position_embeddings": 77,
        "hidden_size": 32,
        "intermediate_size": 37,
        "num_attention_heads": 4,
    }
    return CLIPTextConfig(**{**values, **more})


def _unet(**more: Any) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        block_out_channels=(32, 64),
        layers_per_block=1,
        sample_size=8,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        **more,
    )


def _vae(scaling_factor: float, depth: int = 4) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=[32] * depth,
        in_channels=3,
        out_channels=3,
        down_block_types=["DownEncoderBlock2D"] * depth,
        up_block_types=["UpDecoderBlock2D"] * depth,
        latent_channels=4,
        layers_per_block=1,
        sample_size=64,
        scaling_factor=scaling_factor,
    )
