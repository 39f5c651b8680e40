"""From settings to a pipeline that stands on its device, ready to be called.

Knows where the pipeline's folder comes from only through ``hub.locate``; never paints.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from safetensors import SafetensorError

from renderer.errors import PainterError, SettingsError
from renderer.files import is_file, user_path
from renderer.painting.painters.diffusion.checkpoint import find_base_preset
from renderer.painting.painters.diffusion.companions import companion_parts
from renderer.painting.painters.diffusion.compiling import forget
from renderer.painting.painters.diffusion.conv_padding import set_padding
from renderer.painting.painters.diffusion.device import Device, choose
from renderer.painting.painters.diffusion.device_errors import device_lost, is_lost
from renderer.painting.painters.diffusion.families.family import Family
from renderer.painting.painters.diffusion.families.index import INDEX, read_family, read_parts
from renderer.painting.painters.diffusion.hub import (
    file_names,
    locate,
    locate_configuration,
    locate_lora,
)
from renderer.painting.painters.diffusion.hub_errors import one_line, root_line
from renderer.painting.painters.diffusion.library_logs import redirect_logs
from renderer.painting.painters.diffusion.lora import Misfit, merge_lora
from renderer.painting.painters.diffusion.memory import (
    OFFLOADED,
    QUANTISED,
    WORDS_OFFLOADED,
    WORDS_PRICE,
    at_work,
    is_full,
    modules,
    offload_encoders,
    offload_models,
    release,
    ungroup,
)
from renderer.painting.painters.diffusion.quantising import (
    INSTALL,
    can_quantise,
    quantise,
    stored_bytes,
)
from renderer.painting.painters.diffusion.weights import check_weights, choose_weights
from renderer.painting.painters.notices import note
from renderer.settings.cosmos import read_card
from renderer.settings.lora_names import Lora, parse_lora
from renderer.settings.presets import CHECKPOINT, DEFAULT, check_method, find_preset
from renderer.settings.render import RenderSettings
from renderer.settings.samplers import find_sampler

log = logging.getLogger("renderer.painting.diffusion")

_DAMAGED = (
    OSError,
    ValueError,
    RuntimeError,
    TypeError,
    KeyError,
    AttributeError,
    ImportError,
    SafetensorError,
)
"""What a pipeline folder with wrong contents makes diffusers and transformers raise."""
_FLAT = {"cuda", "cpu"}
"""Devices whose convolutions are faster channels last; on Apple's it was not tried."""
_WORKING_MEMORY = 3 * 10**9
"""What painting takes on top of the weights, bytes, at most (SDXL's VAE at 1024 px)."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A pipeline on its device."""

    model: str
    """As the user named it."""
    pipeline: Any
    family: Family
    device: Device
    offloaded: tuple[str, ...]
    """Names of the rungs that it is on already, because the device is too small for all of it."""


def load(settings: RenderSettings) -> Loaded:
    """Find, check and load the model of the settings and give it its sampler.

    Raises SettingsError for a scheduler, number of steps or strength that can't be used,
    DeviceLost if the device fails meanwhile, and PainterError, one line with the cause, if the
    model can't be loaded.
    """
    redirect_logs()
    forget()  # what another painter had compiled holds memory
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if settings.scheduler:
        find_sampler(settings.scheduler)  # before any download
    model = settings.model or DEFAULT
    with device_lost("the GPU"):
        device = choose(settings.device)
    with device_lost(device.name):
        family, pipeline = _open(settings, model, device)
        offloaded = _place(pipeline, family, device, settings)
    pipeline.set_progress_bar_config(disable=True)
    check_steps(pipeline, family, settings)
    pipeline.scheduler = _scheduler(pipeline, settings.scheduler)
    four = family.has_unet and pipeline.unet.config.in_channels == 4
    if four and not family.border and settings.method != "refine":
        log.warning("%s was not trained for inpainting (4 channels); joins may show", model)
    log.info(
        "%s (%s) on %s; no safety checker, no watermark", model, family.class_name, device.name
    )
    return Loaded(model, pipeline, family, device, offloaded)


def _open(settings: RenderSettings, model: str, device: Device) -> tuple[Family, Any]:
    """The pipeline in RAM, from wherever it lies, with its LoRAs in it, and its family."""
    file = user_path(model)
    if file.suffix == CHECKPOINT and is_file(file):
        folder = locate_configuration(find_base_preset(file))
        family = read_family(folder / INDEX, model)
        check_fits(family, settings, model)
        pipeline = from_checkpoint(file, folder, family, device)
    else:
        folder = locate(model, half=device.half, trust_pickled=settings.trust_pickled_weights)
        family = read_family(folder / INDEX, model)
        if settings.method == "refine" and family.at_less_strength is not None:
            family = family.at_less_strength
        check_fits(family, settings, model)
        own = locate_lora(Lora(family.lora)) if family.lora else None
        pipeline = _from_folder(folder, family, device, settings)
        if own is not None:
            try:
                merge_lora(pipeline, own, 1.0, model)
            except Misfit:
                note(f"{family.lora} does not fit {model}, so only an instruction asks for borders")
    for text in settings.loras:
        lora = parse_lora(text)
        merge_lora(pipeline, locate_lora(lora), lora.weight, model)
    return family, pipeline


def check_fits(family: Family, settings: RenderSettings, model: str) -> None:
    """Refuse what this kind of model has no use for, before gigabytes are read."""
    if like := find_preset(family.base_preset):
        check_method(like, settings.method, model)
    if family.own_sampler and settings.scheduler:
        raise SettingsError(
            f"{model} works with its own scheduler only; leave scheduler out", "scheduler"
        )
    if settings.quantise == "yes" and family.has_unet:
        raise SettingsError(
            f"{model} has a UNet, which is not kept in 8 bits; leave quantise at auto", "quantise"
        )
    if family.weighs_strength:
        return
    lack = f"{model} has no strength to set"
    if settings.method == "refine":
        raise SettingsError(
            f"{lack}, so it can't dive (--method refine); models of the Stable Diffusion, FLUX and "
            f"Z-Image families can",
            "method",
        )
    if settings.strength != 1:
        raise SettingsError(f"{lack}, not even {settings.strength:g}; leave it at 1", "strength")
    if settings.seam_pass:
        raise SettingsError(f"{lack}, so it does no seam pass; leave it at 0", "seam_pass")


def _from_folder(folder: Path, family: Family, device: Device, settings: RenderSettings) -> Any:
    """Load the pipeline: from safetensors if not told otherwise, and nothing from the network."""
    model = settings.model or DEFAULT
    weights = choose_weights(
        file_names(folder),
        family.models,
        half=device.half,
        where=model,
        trust_pickled=settings.trust_pickled_weights,
    )
    read_parts(folder / INDEX, family.options, model)  # nothing is imported that it refuses
    check_weights(folder, weights)
    if weights.pickled:
        note(f"{model} has pickled weights, which may run code; they are opened as you asked")
    with _damage_named(model):
        half = family.prefers_bfloat16 and not _fits_float16(folder, family)
        dtype = device.dtype(prefers_bfloat16=half)
        pipeline = getattr(diffusers, family.class_name).from_pretrained(
            folder,
            dtype=dtype,
            variant=weights.variant,
            use_safetensors=None if weights.pickled else True,
            local_files_only=True,
            **family.options,
            **companion_parts(
                family.companion, dtype, half=device.half, trusted=settings.trust_pickled_weights
            ),
        )
        if family.has_unet and dtype == torch.bfloat16:
            # It would be put into float32 and back in each call; bfloat16 has the same range.
            pipeline.vae.register_to_config(force_upcast=False)
        if card := read_card(folder):
            set_padding(pipeline.unet, card.padding)
    return pipeline


def _fits_float16(folder: Path, family: Family) -> bool:
    """Whether the VAE says that it doesn't overflow float16, which is finer than bfloat16."""
    if not family.has_unet:
        return False
    config = diffusers.AutoencoderKL.load_config(folder / "vae", local_files_only=True)
    return not config.get("force_upcast", True)


def from_checkpoint(file: Path, configuration: Path, family: Family, device: Device) -> Any:
    """Load a pipeline whose weights are in one file, put together as ``configuration`` says."""
    dtype = device.dtype(prefers_bfloat16=family.prefers_bfloat16)
    with _damage_named(file):
        return getattr(diffusers, family.class_name).from_single_file(
            str(file),
            config=str(configuration),
            torch_dtype=dtype,  # this method does not know the newer name
            local_files_only=True,
            **family.options,
        )


@contextmanager
def _damage_named(model: str | Path) -> Iterator[None]:
    """What wrong contents of ``model`` make the libraries raise becomes a PainterError."""
    try:
        yield
    except _DAMAGED as error:
        if is_lost(error):
            raise
        raise PainterError(f"{model} can't be loaded: {root_line(error)}") from error


def _place(
    pipeline: Any, family: Family, device: Device, settings: RenderSettings
) -> tuple[str, ...]:
    """Move the pipeline to its device, or what of it the device has room for at a time.

    Names of the rungs that it is then on. Weights go into 8 bits where it is wished, or no device
    could hold a part.
    """
    if device.device.type in _FLAT:
        for part in family.flat:
            getattr(pipeline, part).to(memory_format=torch.channels_last)
    release()  # a model that was loaded before may still wait for the garbage collector
    small = f"{device.name} has too little free memory for all of {settings.model or DEFAULT}"
    if settings.quantise == "yes":
        quantise(pipeline)
    if (moved := _moved(pipeline, device, small)) is not None:
        return moved
    largest = max(stored_bytes([part]) for part in modules(pipeline).values())
    if settings.quantise == "auto" and not device.has_room(largest + _WORKING_MEMORY):
        if can_quantise(pipeline):
            quantise(pipeline)
            note(f"{small}: {QUANTISED}; pictures differ a little")
            if (moved := _moved(pipeline, device, small)) is not None:
                return moved
        elif not family.has_unet:
            note(f"{INSTALL} would let this model's weights be kept in half of their size")
    note(f"{small}: {OFFLOADED}; slower")
    offload_models(pipeline, device.device)
    return WORDS_OFFLOADED, OFFLOADED


def _moved(pipeline: Any, device: Device, small: str) -> tuple[str, ...] | None:
    """Put the pipeline on its device, at need all but what waits for new prompts.

    The rungs that it is then on; None if there is no room, whatever the device said before.
    """
    for parts in (modules(pipeline), at_work(pipeline)):
        if not device.has_room(stored_bytes(parts.values()) + _WORKING_MEMORY):
            continue
        try:
            if len(parts) == len(modules(pipeline)):
                pipeline.to(device.device)
                return ()
            offload_encoders(pipeline, device.device)
            note(f"{small}: {WORDS_OFFLOADED}; {WORDS_PRICE}")
            return (WORDS_OFFLOADED,)
        except RuntimeError as error:
            if not is_full(error):
                raise
        ungroup(pipeline)
        release()
    return None


def _scheduler(pipeline: Any, name: str) -> Any:
    """The named sampler with the model's noise schedule; without a name the model's own."""
    if not name:
        return pipeline.scheduler
    sampler = find_sampler(name)
    return getattr(diffusers, sampler.class_name).from_config(
        pipeline.scheduler.config, **sampler.options
    )


def check_steps(pipeline: Any, family: Family, settings: RenderSettings) -> None:
    """Try scheduler, steps and strength out before they are painted with. Raises SettingsError.

    Changes nothing of the pipeline, which may be painting.
    """
    scheduler = _scheduler(pipeline, settings.scheduler)
    name = settings.scheduler or type(scheduler).__name__
    most = scheduler.config.num_train_timesteps
    if settings.steps > most:
        raise SettingsError(
            f"steps must be at most {most} with this model, not {settings.steps}", "steps"
        )
    try:
        if not family.own_sampler:
            type(scheduler).from_config(scheduler.config).set_timesteps(settings.steps)
    except ValueError as error:
        raise SettingsError(
            f"scheduler {name} can't do {settings.steps} steps: {one_line(error)}", "scheduler"
        ) from error
    if int(settings.steps * settings.strength) < 1:
        raise SettingsError(
            f"strength {settings.strength:g} of {settings.steps} steps leaves no step to do; "
            f"it must be at least {1 / settings.steps:.3g}",
            "strength",
        )
