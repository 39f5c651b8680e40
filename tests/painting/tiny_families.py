"""Tiny pipelines of every kind beyond Stable Diffusion, built from code with random weights.

As in ``tiny``: the real classes, VAEs that divide by eight, and tokenizers that tell every prompt
apart; only the sizes and the number of layers are small. Each has under a million parameters.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    ControlNetUnionModel,
    DDPMScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    FluxFillPipeline,
    FluxTransformer2DModel,
    KandinskyV22InpaintCombinedPipeline,
    PriorTransformer,
    QwenImageControlNetInpaintPipeline,
    QwenImageControlNetModel,
    QwenImageTransformer2DModel,
    StableDiffusionXLControlNetUnionInpaintPipeline,
    UnCLIPScheduler,
    UNet2DConditionModel,
    VQModel,
    ZImageControlNetInpaintPipeline,
    ZImageControlNetModel,
    ZImageTransformer2DModel,
)
from safetensors.torch import save_file
from transformers import (
    CLIPImageProcessor,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from tests.painting.tiny import byte_signs, text_config, tiny_sdxl, tokenizer

WIDTH = 32
"""Of the text encoders."""
CHANNELS = 4
"""Of the latents; half as many again as many are packed into a token, in squares of four."""
PACKED = 4 * CHANNELS
BLOCKS = {
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "block_out_channels": [16] * 4,
    "norm_num_groups": 8,
    "layers_per_block": 1,
    "latent_channels": CHANNELS,
}
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_flux_fill() -> FluxFillPipeline:
    """FLUX.1 Fill: CLIP and T5; latents, masked latents and 64 mask channels a cell go in."""
    words = tokenizer()
    return FluxFillPipeline(
        transformer=FluxTransformer2DModel(
            in_channels=2 * PACKED + 4 * 64,
            out_channels=PACKED,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=WIDTH,
            pooled_projection_dim=WIDTH,
            guidance_embeds=True,
            axes_dims_rope=(4, 6, 6),
        ),
        vae=AutoencoderKL(**BLOCKS, scaling_factor=0.36, shift_factor=0.12),
        text_encoder=CLIPTextModel(text_config(words, num_hidden_layers=1)),
        tokenizer=words,
        text_encoder_2=T5EncoderModel(
            T5Config(vocab_size=400, d_model=WIDTH, d_kv=8, d_ff=37, num_layers=1, num_heads=4)
        ),
        tokenizer_2=T5Tokenizer(vocab=t5_vocabulary(), extra_ids=0, model_max_length=512),
        scheduler=shifting(),
    )


def tiny_klein(*, distilled: bool = True, heads: int = 2) -> Flux2KleinPipeline:
    """FLUX.2 klein as it is published: without a mask. ``heads``: of each layer, 16 wide."""
    words = chat_tokenizer()
    return Flux2KleinPipeline(
        transformer=Flux2Transformer2DModel(
            in_channels=PACKED,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=heads,
            joint_attention_dim=3 * 16,  # of three layers of the text encoder
            timestep_guidance_channels=16,
            axes_dims_rope=(4, 4, 4, 4),
            guidance_embeds=False,
        ),
        vae=AutoencoderKLFlux2(**BLOCKS),
        text_encoder=Qwen3ForCausalLM(qwen3_config(words, hidden_size=16, num_hidden_layers=28)),
        tokenizer=words,
        scheduler=shifting(),
        is_distilled=distilled,
    )


def tiny_z_image() -> ZImageControlNetInpaintPipeline:
    """Z-Image with its ControlNet: control latents, a mask channel and masked latents go in."""
    words = chat_tokenizer()
    controlnet = ZImageControlNetModel(
        control_layers_places=[0],
        control_refiner_layers_places=[0],
        control_in_dim=2 * CHANNELS + 1,
        add_control_noise_refiner="control_noise_refiner",
        dim=WIDTH,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
    )
    awaken(controlnet)
    return ZImageControlNetInpaintPipeline(
        controlnet=controlnet,
        transformer=ZImageTransformer2DModel(
            in_channels=CHANNELS,
            dim=WIDTH,
            n_layers=1,
            n_refiner_layers=1,
            n_heads=2,
            n_kv_heads=2,
            cap_feat_dim=WIDTH,
            axes_dims=[4, 6, 6],
            axes_lens=[1024, 64, 64],
        ),
        vae=AutoencoderKL(**BLOCKS, scaling_factor=0.36, shift_factor=0.12),
        text_encoder=Qwen3ForCausalLM(qwen3_config(words, hidden_size=WIDTH, num_hidden_layers=2)),
        tokenizer=words,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


def tiny_qwen() -> QwenImageControlNetInpaintPipeline:
    """Qwen-Image with its ControlNet, whose condition has a mask channel a cell."""
    words = chat_tokenizer()
    size = {
        "in_channels": PACKED,
        "out_channels": CHANNELS,
        "num_layers": 1,
        "attention_head_dim": 16,
        "num_attention_heads": 2,
        "joint_attention_dim": WIDTH,
        "axes_dims_rope": (4, 6, 6),
    }
    controlnet = QwenImageControlNetModel(**size, extra_condition_channels=4)
    awaken(controlnet)
    return QwenImageControlNetInpaintPipeline(
        transformer=QwenImageTransformer2DModel(**size),
        controlnet=controlnet,
        vae=AutoencoderKLQwenImage(
            base_dim=8,
            z_dim=CHANNELS,
            num_res_blocks=1,
            latents_mean=[0.0] * CHANNELS,
            latents_std=[1.0] * CHANNELS,
        ),
        text_encoder=Qwen2_5_VLForConditionalGeneration(qwen_vl_config(words)),
        tokenizer=words,
        scheduler=shifting(),
    )


def tiny_promax() -> StableDiffusionXLControlNetUnionInpaintPipeline:
    """A text-to-image SDXL with a ControlNet that knows eight modes."""
    parts = tiny_sdxl(channels=4).components
    size = {
        name: value
        for name, value in parts["unet"].config.items()
        if name in inspect.signature(ControlNetUnionModel).parameters
    }
    controlnet = ControlNetUnionModel(
        **size,
        conditioning_embedding_out_channels=(8, 8, 8, 8),
        num_control_type=8,
        num_trans_channel=32,
        num_trans_head=2,
        num_proj_channel=32,
    )
    awaken(controlnet)
    return StableDiffusionXLControlNetUnionInpaintPipeline(
        **parts, controlnet=controlnet, add_watermarker=False
    )


def awaken(controlnet: torch.nn.Module) -> None:
    """Give it weights: it is born with zeros at its ends, which would do nothing."""
    for part in controlnet.parameters():
        torch.nn.init.normal_(part, std=0.05)


def tiny_kandinsky() -> KandinskyV22InpaintCombinedPipeline:
    """Kandinsky 2.2: prior and decoder in one, as ``save_pretrained`` keeps them."""
    words = tokenizer()
    text = text_config(words, num_hidden_layers=1, projection_dim=WIDTH)
    prior = PriorTransformer(
        num_attention_heads=2, attention_head_dim=12, embedding_dim=WIDTH, num_layers=1
    )
    torch.nn.init.ones_(prior.clip_std)  # born as zeros, which makes all embeddings one
    return KandinskyV22InpaintCombinedPipeline(
        unet=UNet2DConditionModel(
            in_channels=2 * CHANNELS + 1,
            out_channels=2 * CHANNELS,  # its variance as well
            addition_embed_type="image",
            down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
            up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
            mid_block_type="UNetMidBlock2DSimpleCrossAttn",
            block_out_channels=(32, 32),
            layers_per_block=1,
            encoder_hid_dim=WIDTH,
            encoder_hid_dim_type="image_proj",
            cross_attention_dim=WIDTH,
            attention_head_dim=4,
            resnet_time_scale_shift="scale_shift",
        ),
        scheduler=DDPMScheduler(
            beta_schedule="linear",
            beta_start=0.00085,
            beta_end=0.012,
            clip_sample=False,
            variance_type="learned_range",
        ),
        movq=VQModel(
            **{**BLOCKS, "block_out_channels": [32] * 4},
            num_vq_embeddings=16,
            vq_embed_dim=CHANNELS,
            norm_type="spatial",
        ),
        prior_prior=prior,
        prior_image_encoder=CLIPVisionModelWithProjection(
            CLIPVisionConfig(
                hidden_size=WIDTH,
                image_size=32,
                projection_dim=WIDTH,
                intermediate_size=37,
                patch_size=8,
                num_attention_heads=4,
                num_hidden_layers=1,
            )
        ),
        prior_text_encoder=CLIPTextModelWithProjection(text),
        prior_tokenizer=words,
        prior_scheduler=UnCLIPScheduler(
            variance_type="fixed_small_log", prediction_type="sample", clip_sample_range=10.0
        ),
        prior_image_processor=CLIPImageProcessor(),
    )


FAMILIES: dict[str, Callable[[], Any]] = {
    "flux-fill": tiny_flux_fill,
    "klein": tiny_klein,
    "klein-base": lambda: tiny_klein(distilled=False),
    "z-image": tiny_z_image,
    "qwen": tiny_qwen,
    "sdxl-promax": tiny_promax,
    "kandinsky": tiny_kandinsky,
}


def build(name: str) -> Any:
    """The pipeline of that name, with the same weights in every run."""
    torch.manual_seed(0)
    pipeline = FAMILIES[name]()
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval()
    return pipeline


def save_lora(
    folder: Path, path: str, rows: int = WIDTH, columns: int = WIDTH, **more: torch.Tensor
) -> Path:
    """A LoRA of rank 2 for the layer at ``path``; ``more`` stands beside its two matrices."""
    torch.manual_seed(7)
    tensors = {
        f"{path}.lora_A.weight": torch.randn(2, columns),
        f"{path}.lora_B.weight": torch.randn(rows, 2),
        **{f"{path}.{key}": tensor for key, tensor in more.items()},
    }
    file = folder / "style.safetensors"
    save_file(tensors, file)
    return file


def shifting() -> FlowMatchEulerDiscreteScheduler:
    """A sampler whose noise levels depend on the picture's size."""
    return FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True)


def t5_vocabulary() -> list[tuple[str, float]]:
    """T5's three marks and one piece a sign of ASCII."""
    marks = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    return [*marks, *((chr(code), -3.0) for code in range(33, 127))]


def chat_tokenizer() -> Qwen2Tokenizer:
    """One token a byte, and the marks of a chat."""
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    words = Qwen2Tokenizer(
        vocab={token: number for number, token in enumerate([*byte_signs(), *marks])},
        merges=[],
        additional_special_tokens=marks[1:],
        model_max_length=1024,
    )
    words.chat_template = CHAT
    return words


def qwen3_config(words: Qwen2Tokenizer, **more: Any) -> Qwen3Config:
    """A tiny language model for that tokenizer."""
    return Qwen3Config(
        vocab_size=len(words),
        intermediate_size=37,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        pad_token_id=words.pad_token_id,
        **more,
    )


def qwen_vl_config(words: Qwen2Tokenizer) -> Qwen2_5_VLConfig:
    """A tiny language model that could see as well."""
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(words),
            "hidden_size": WIDTH,
            "intermediate_size": 37,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "bos_token_id": words.eos_token_id,
            "eos_token_id": words.eos_token_id,
            "rope_scaling": {"mrope_section": [2, 3, 3], "rope_type": "default", "type": "default"},
        },
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": WIDTH,
        },
    )
