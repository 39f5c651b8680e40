"""When the GPU's memory is full: ways to need less of it, from the cheapest to the dearest.

Knows pipelines; knows nothing of jobs and pictures.
"""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.hooks.hooks import HookRegistry

from renderer.painting.painters.diffusion.device import Device
from renderer.painting.painters.diffusion.quantising import can_quantise, quantise

_FULL = ("out of memory", "can't allocate memory", "alloc_failed", "unable to find an engine")
"""Words for a full memory where the error is no OutOfMemoryError: Apple's GPUs, CPUs, cuBLAS, and
cuDNN, which finds no way to convolve in what is left."""
_TILE = 512
"""Side of the VAE's tiles, px; models trained on larger pictures bring larger ones."""


def is_full(error: BaseException) -> bool:
    """Whether ``error`` says that there is no memory left."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    text = str(error).casefold()
    return isinstance(error, RuntimeError) and any(words in text for words in _FULL)


def release() -> None:
    """Give back what nothing refers to any more. Call it outside of the ``except`` block.

    Inside, the traceback still holds the frames of the failed call, and they hold its tensors.
    """
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def peak() -> int:
    """Bytes that torch held on the GPU at most since this was last asked; 0 without one."""
    if not torch.cuda.is_available():
        return 0
    most = torch.cuda.max_memory_reserved()
    torch.cuda.reset_peak_memory_stats()
    return most


def _always(_: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to need less memory. It stays in force once it is taken."""

    name: str
    take: Callable[[Any, torch.device], None]
    price: str
    """What it costs, for people."""
    moves: bool = False
    """It moves weights between RAM and the device: of no use where the two are one."""
    helps: Callable[[Any], bool] = _always
    """Whether a pipeline has what it works on."""


def _tiles(pipeline: Any) -> bool:
    return hasattr(getattr(pipeline, "vae", None), "enable_tiling")


def _tile(pipeline: Any, _: torch.device) -> None:
    vae = pipeline.vae
    vae.enable_slicing()
    if hasattr(vae, "tile_sample_min_size") and vae.tile_sample_min_size > _TILE:
        cell = vae.tile_sample_min_size // vae.tile_latent_min_size
        vae.tile_sample_min_size, vae.tile_latent_min_size = _TILE, _TILE // cell
    vae.enable_tiling()


def modules(pipeline: Any) -> dict[str, torch.nn.Module]:
    """The parts of a pipeline that have weights, by name."""
    parts = pipeline.components.items()
    return {name: part for name, part in parts if isinstance(part, torch.nn.Module)}


def at_work(pipeline: Any) -> dict[str, torch.nn.Module]:
    """Those that run for every picture, not only where a prompt is new."""
    return {
        name: part
        for name, part in modules(pipeline).items()
        if not ("text_encoder" in name or name.startswith("prior_"))
    }


def offload_encoders(pipeline: Any, device: torch.device) -> None:
    """What runs only where a prompt is new is in RAM; its layers are on the device as they run."""
    _offload_in_groups(pipeline, device, set(at_work(pipeline)))


def offload_models(pipeline: Any, device: torch.device) -> None:
    """Keep the weights in RAM; each part is on the device while it runs."""
    ungroup(pipeline)
    pipeline.enable_model_cpu_offload(device=device)


def _quantise(pipeline: Any, device: torch.device) -> None:
    """Its parts still take turns, each half as large as it was."""
    pipeline.remove_all_hooks()
    quantise(pipeline)
    offload_models(pipeline, device)


def _offload_groups(pipeline: Any, device: torch.device) -> None:
    """Keep the weights in RAM; a layer comes while the one before it runs."""
    pipeline.remove_all_hooks()
    if hasattr(pipeline, "controlnet"):
        # Z-Image's uses layers of the transformer, and a layer can't take turns in two parts.
        pipeline.to("cpu")
        pipeline.controlnet = copy.deepcopy(pipeline.controlnet)
    # A VAE is small, and some pipelines change its number format and back in each call.
    _offload_in_groups(pipeline, device, {"vae", "movq", *_undivided(pipeline)})


def _offload_layers(pipeline: Any, device: torch.device) -> None:
    ungroup(pipeline)
    pipeline._exclude_from_cpu_offload = [
        *pipeline._exclude_from_cpu_offload,
        *_undivided(pipeline),
    ]
    pipeline.enable_sequential_cpu_offload(device=device)


def _undivided(pipeline: Any) -> list[str]:
    """Parts with layers that use another layer's weights without calling it, as torch's own do.

    A layer's weights are moved when it is called.
    """
    return [
        name
        for name, part in modules(pipeline).items()
        if any(isinstance(layer, torch.nn.MultiheadAttention) for layer in part.modules())
    ]


def _offload_in_groups(pipeline: Any, device: torch.device, but: set[str]) -> None:
    """Every part, ``but`` those, which go to the device."""
    pipeline.enable_group_offload(
        onload_device=device,
        offload_type="leaf_level",
        use_stream=device.type == "cuda",
        low_cpu_mem_usage=True,  # memory that is pinned for good is rounded up to powers of two
        exclude_modules=sorted(but),
    )


def ungroup(pipeline: Any) -> None:
    """Undo what ``offload_encoders`` has done, but for where the weights are."""
    for part in modules(pipeline).values():
        hooks = HookRegistry.check_if_exists_or_initialize(part)
        for kind in ("group_offloading", "lazy_prefetch_group_offloading"):
            hooks.remove_hook(kind, recurse=True)
        hooks.remove_hook("layer_execution_tracker", recurse=True)


WORDS_OFFLOADED = "its text encoders wait in RAM"
WORDS_PRICE = "each new prompt takes a moment longer"
OFFLOADED = "its parts take turns on the GPU"
QUANTISED = "its weights are kept in 8 bits"
RUNGS = (
    # Slices are pictures of one call and tiles are parts of one picture: neither costs much alone.
    Rung("the VAE works in slices and tiles", _tile, "tones may vary a little", helps=_tiles),
    Rung(WORDS_OFFLOADED, offload_encoders, WORDS_PRICE, moves=True),
    Rung(OFFLOADED, offload_models, "this is slower", moves=True),
    Rung(QUANTISED, _quantise, "pictures differ a little", moves=True, helps=can_quantise),
    Rung(
        "its layers come to the GPU one ahead", _offload_groups, "this is much slower", moves=True
    ),
    Rung("its layers take turns on the GPU", _offload_layers, "this is very slow", moves=True),
)


class Ladder:
    """The rungs that one pipeline has not taken yet.

    ``but``: names of rungs that are not to be taken.
    """

    def __init__(self, pipeline: Any, device: Device, but: Collection[str] = ()) -> None:
        self._pipeline = pipeline
        self._device = device.device
        shared = device.device.type == "cpu"
        self._left = [
            rung
            for rung in RUNGS
            if rung.helps(pipeline) and not (rung.moves and shared) and rung.name not in but
        ]
        self._taken: list[Rung] = []

    @property
    def taken(self) -> tuple[str, ...]:
        """Names of the rungs in force."""
        return tuple(rung.name for rung in self._taken)

    @property
    def moves_next(self) -> bool:
        """Whether the next rung moves weights, or there is none left."""
        return not self._left or self._left[0].moves

    def step_down(self) -> Rung | None:
        """Take the next rung, for good, and free memory; None: there is none left."""
        release()
        if not self._left:
            return None
        rung = self._left.pop(0)
        rung.take(self._pipeline, self._device)
        self._taken.append(rung)
        release()
        return rung
