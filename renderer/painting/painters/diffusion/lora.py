"""LoRA files, added into a model's weights when it is loaded: W + weight · alpha / rank · B A.

Merged once, a LoRA costs nothing at each step, compiles like the plain model, and needs no peft.
(Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models".) diffusers translates the
spellings of other trainers; what it can't translate is refused.
"""

from __future__ import annotations

import inspect
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from renderer.errors import PainterError
from renderer.painting.painters.diffusion.hub_errors import one_line

log = logging.getLogger("renderer.painting.diffusion")

Tensors = dict[str, torch.Tensor]

_DENOISERS = ("unet.", "transformer.")
_DOWN = ("lora_A", "lora.down", "lora_linear_layer.down")
_KEY = re.compile(
    r"(?P<path>.+?)[._](?P<half>lora_[AB]|lora\.(down|up)|lora_linear_layer\.(down|up))\.weight"
)
_IN_DENOISER = {"to_out": "to_out.0"}
_IN_TEXT_ENCODER = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}
_OTHER_KINDS = {"hada_w1": "LoHa", "lokr_w1": "LoKr", "dora_scale": "DoRA", "oft_blocks": "OFT"}
"""A piece of a key → the kind of adapter that has such keys."""
_UNTRANSLATABLE = (ValueError, KeyError, RuntimeError, AttributeError, IndexError, TypeError)
"""What diffusers raises for keys that it doesn't know."""


class Misfit(PainterError):
    """The LoRA and the model are of different architectures; the text says how it shows."""


@dataclass(slots=True)
class _Pair:
    """The two matrices of one layer, as far as they were found."""

    down: torch.Tensor | None = None
    up: torch.Tensor | None = None
    alpha: float | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """What is added to one layer's weights."""

    weights: torch.Tensor
    down: torch.Tensor
    up: torch.Tensor
    scale: float

    @torch.no_grad()
    def apply(self) -> None:
        """In float32, whatever the weights are kept in."""
        change = self.up.flatten(1).float() @ self.down.flatten(1).float()
        whole = self.weights.float() + self.scale * change.reshape(self.weights.shape)
        self.weights.copy_(whole)


def merge_lora(pipeline: Any, file: Path, weight: float, model: str) -> None:
    """Add ``weight`` times the LoRA in ``file`` to the pipeline's weights, all of it or nothing.

    ``model`` is how the user named the model, for messages. Raises PainterError for a file that is
    missing, damaged or of another kind, and Misfit.
    """
    if not hasattr(type(pipeline), "lora_state_dict"):
        raise PainterError(f"{model} takes no LoRA; leave {file} out")
    tensors = _read(file)
    try:
        pairs = _translate(pipeline, tensors)
        changes = [_change(pipeline, path, pair, weight) for path, pair in pairs.items()]
        if not changes:
            raise Misfit("none of its layers is known")
    except (Misfit, *_UNTRANSLATABLE) as error:
        raise Misfit(
            f"lora {file} was made for another architecture than {model}: {one_line(error)}"
        ) from error
    for change in changes:
        change.apply()
    log.info("%s merged into %s with weight %g: %d layers", file, model, weight, len(changes))


def _read(file: Path) -> Tensors:
    try:
        tensors = load_file(file)
    except (SafetensorError, OSError) as error:
        raise PainterError(f"lora {file} can't be read: {one_line(error)}") from error
    for piece, kind in _OTHER_KINDS.items():
        if any(piece in key for key in tensors):
            raise PainterError(f"lora {file} is a {kind}, which is not supported; use a plain LoRA")
    return tensors


def _translate(pipeline: Any, tensors: Tensors) -> dict[str, _Pair]:
    """Layer's path in the pipeline (``unet.….to_q``) → its matrices."""
    named: dict[str, Any] = {}
    if hasattr(pipeline, "unet"):
        named["unet_config"] = pipeline.unet.config
    if "return_alphas" in inspect.signature(type(pipeline).lora_state_dict).parameters:
        named["return_alphas"] = True
    found = type(pipeline).lora_state_dict(dict(tensors), **named)
    # Some classes return alphas beside the tensors, others have worked them in.
    state, alphas = found[:2] if isinstance(found, tuple) else (found, None)
    pairs: dict[str, _Pair] = {}
    for key, tensor in state.items():
        match = _KEY.fullmatch(key)
        if match is None:
            raise ValueError(f"{key} is not known")
        pair = pairs.setdefault(_layer_path(match["path"]), _Pair())
        if match["half"] in _DOWN:
            pair.down = tensor
        else:
            pair.up = tensor
        for name in (f"{key}.alpha", f"{match['path']}.alpha"):
            if alphas and name in alphas:
                pair.alpha = float(alphas[name])
    return pairs


def _layer_path(path: str) -> str:
    """The layer that diffusers' older spellings mean, which name attention by its processor."""
    path = path.replace(".processor", "")
    stem, _, last = path.rpartition(".")
    names = _IN_DENOISER if path.startswith(_DENOISERS) else _IN_TEXT_ENCODER
    return f"{stem}.{names.get(last, last)}"


def _change(pipeline: Any, path: str, pair: _Pair, weight: float) -> _Change:
    """What ``pair`` adds to the layer at ``path``. Raises Misfit where it doesn't fit."""
    if pair.down is None or pair.up is None:
        raise Misfit(f"{path} lacks half of its weights")
    layer = _layer(pipeline, path)
    shape = tuple(layer.weight.shape) if layer is not None else ()
    if layer is None or not shape:
        raise Misfit(f"the model has no {path}")
    own = (pair.up.shape[0], *pair.down.shape[1:])
    rank = pair.down.shape[0]
    if own != shape or rank != pair.up.shape[1]:
        there, here = ("x".join(str(side) for side in sides) for sides in (own, shape))
        raise Misfit(f"{path} is {there} there and {here} in the model")
    scale = weight * (rank if pair.alpha is None else pair.alpha) / rank
    return _Change(layer.weight, pair.down, pair.up, scale)


def _layer(pipeline: Any, path: str) -> Any:
    part, _, inner = path.partition(".")
    # Newer versions of transformers have one level less in the text encoders.
    for name in (inner, inner.removeprefix("text_model.")):
        try:
            layer = getattr(pipeline, part).get_submodule(name)
        except AttributeError:
            continue
        return layer if hasattr(layer, "weight") else None
    return None
