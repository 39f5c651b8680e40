"""The four parts of the model, built from code, in full size and in two smaller ones.

The classes are diffusers' and transformers' own, so that the saved folder is an ordinary Stable
Diffusion inpainting pipeline. Knows nothing of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel

from renderer.painting.painters.diffusion.conv_padding import set_padding
from renderer.settings.cosmos import Padding
from training.noise import BETA_END, BETA_SCHEDULE, BETA_START, TRAIN_STEPS
from training.tokens import CONTEXT, build_tokenizer

LATENT_CHANNELS = 4
CELL = 8
"""Side of the square of pixels behind one latent."""
PADDING: Padding = "replicate"
"""What the UNet sees beyond the rim of a picture. The saved folder can't say it in a way that
diffusers knows: the card does. (Reflections need two cells, and the innermost layers may have one.)
"""
_LOG_VARIANCE = -5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Widths and depths of all parts."""

    name: str
    autoencoder: tuple[int, int, int, int]
    """Channels from full resolution down to an eighth."""
    autoencoder_groups: int
    """Of its group norms. Few: a norm takes away what all channels of a group have in common, and
    with two or three in a group that is a picture's colour."""
    unet: tuple[int, int, int, int]
    """Channels from the latents' resolution down to an eighth of it."""
    unet_layers: int
    groups: int
    """Of the UNet's group norms; divides every width."""
    head: int
    """Channels of one attention head."""
    text: int
    """Width of the text encoder, which is that of cross-attention."""
    text_layers: int
    discriminator: int
    """Channels of the discriminator's first layer; it is only used in training."""
    warm_up: int
    """Steps in which learning rates rise."""


FULL = Sizes(
    name="full",
    # Narrow at full resolution, where a decoder spends its time on a CPU.
    autoencoder=(24, 48, 96, 160),
    autoencoder_groups=4,
    unet=(64, 128, 160, 192),
    unet_layers=2,
    groups=16,
    head=32,
    text=128,
    text_layers=3,
    discriminator=64,
    warm_up=200,
)
MEDIUM = Sizes(
    name="medium",
    # What four cores without a GPU train in two hours.
    autoencoder=(16, 32, 64, 128),
    autoencoder_groups=4,
    unet=(48, 96, 128, 192),
    unet_layers=1,
    groups=16,
    head=32,
    text=128,
    text_layers=3,
    discriminator=32,
    warm_up=100,
)
SMALL = Sizes(
    name="small",
    # What a CPU trains in minutes, far enough to see that it learns.
    autoencoder=(16, 24, 32, 48),
    autoencoder_groups=2,
    unet=(32, 48, 64, 64),
    unet_layers=1,
    groups=8,
    head=16,
    text=64,
    text_layers=2,
    discriminator=16,
    warm_up=10,
)
TINY = Sizes(
    name="tiny",
    autoencoder=(8, 16, 16, 32),
    autoencoder_groups=2,
    unet=(16, 16, 32, 32),
    unet_layers=1,
    groups=8,
    head=8,
    text=32,
    text_layers=1,
    discriminator=8,
    warm_up=10,
)
ALL = {sizes.name: sizes for sizes in (FULL, MEDIUM, SMALL, TINY)}


class Norm(nn.GroupNorm):
    """A group norm that gives back what it gets: its sums are exact in bfloat16, too.

    Autocast would have it read and write float32, and so all that follows up to the next layer
    with weights: twice the memory, for models of which most of the time is reading and writing.
    """

    def forward(self, values: Tensor) -> Tensor:
        """(N, C, …) of any floating dtype; the same back."""
        weight, bias = (value.to(values.dtype) for value in (self.weight, self.bias))
        with torch.autocast(values.device.type, enabled=False):
            return functional.group_norm(values, self.num_groups, weight, bias, self.eps)


def _lean(model: nn.Module) -> None:
    """Make all its group norms such ones; weights, names and results in float32 stay."""
    for module in model.modules():
        if type(module) is nn.GroupNorm:
            module.__class__ = Norm


def build_autoencoder(sizes: Sizes) -> Any:
    """An AutoencoderKL, eight times down to four channels; (N, 3, H, W) in [-1, 1].

    Without attention in its middle, which at 768 px costs a CPU more than all the rest.
    """
    make: Any = AutoencoderKL
    model = make(
        in_channels=3,
        out_channels=3,
        latent_channels=LATENT_CHANNELS,
        layers_per_block=1,
        norm_num_groups=sizes.autoencoder_groups,
        sample_size=512,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=sizes.autoencoder,
        mid_block_add_attention=False,
        force_upcast=False,
        scaling_factor=1.0,
    )
    # Its posterior begins narrow: else it would first have to find its latents under their noise.
    with torch.no_grad():
        model.quant_conv.weight[LATENT_CHANNELS:] *= 0.1
        model.quant_conv.bias[LATENT_CHANNELS:] = _LOG_VARIANCE
    _lean(model)
    return model


def build_unet(sizes: Sizes) -> Any:
    """A nine-channel UNet: noisy latents, mask, latents of the masked picture → v.

    Attention, also to the words, works at a quarter and an eighth of the latents' resolution.
    """
    make: Any = UNet2DConditionModel
    unet = make(
        sample_size=64,
        in_channels=2 * LATENT_CHANNELS + 1,
        out_channels=LATENT_CHANNELS,
        layers_per_block=sizes.unet_layers,
        norm_num_groups=sizes.groups,
        down_block_types=("DownBlock2D",) * 2 + ("CrossAttnDownBlock2D",) * 2,
        up_block_types=("CrossAttnUpBlock2D",) * 2 + ("UpBlock2D",) * 2,
        block_out_channels=sizes.unet,
        cross_attention_dim=sizes.text,
        attention_head_dim=sizes.head,
    )
    # It begins with the mean of all v, 0, instead of unlearning a random picture first.
    torch.nn.init.zeros_(unet.conv_out.weight)
    torch.nn.init.zeros_(unet.conv_out.bias)
    _lean(unet)
    set_padding(unet, PADDING)
    return unet


def build_text_encoder(sizes: Sizes, words: Sequence[str]) -> Any:
    """A small CLIP text encoder for the tokenizer of these words."""
    tokenizer = build_tokenizer(words)
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=sizes.text,
            intermediate_size=4 * sizes.text,
            num_hidden_layers=sizes.text_layers,
            num_attention_heads=4,
            max_position_embeddings=CONTEXT,
            hidden_act="gelu",
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def build_scheduler() -> Any:
    """DDIM on the noise schedule that the UNet is trained with, ending in pure noise."""
    scheduler: Any = DDIMScheduler
    return scheduler(
        beta_start=BETA_START,
        beta_end=BETA_END,
        beta_schedule=BETA_SCHEDULE,
        num_train_timesteps=TRAIN_STEPS,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,  # trailing time steps have no use for it, but pipelines warn without it
    )


def parameters(*models: torch.nn.Module) -> int:
    """How many numbers they hold."""
    return sum(value.numel() for model in models for value in model.parameters())
