"""One call of the pipeline, made to succeed, if need be with less memory or uncompiled.

Knows jobs and pipelines; whether a picture is any good is for ``painter`` to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from renderer.errors import PainterError
from renderer.painting.geometry import Geometry
from renderer.painting.painters import OnStep, PaintJob, one_of
from renderer.painting.painters.diffusion.compiling import (
    FAILURES,
    Backend,
    Compiled,
    comes_from_compiler,
    repeated_blocks,
)
from renderer.painting.painters.diffusion.deepcache import DeepCache
from renderer.painting.painters.diffusion.device_errors import is_lost
from renderer.painting.painters.diffusion.families.family import Inputs
from renderer.painting.painters.diffusion.guidance import Cutoff
from renderer.painting.painters.diffusion.hub_errors import root_line
from renderer.painting.painters.diffusion.latent_preview import Previewer
from renderer.painting.painters.diffusion.loading import Loaded
from renderer.painting.painters.diffusion.memory import (
    OFFLOADED,
    QUANTISED,
    Ladder,
    is_full,
    release,
)
from renderer.painting.painters.diffusion.prompts import Prompts, repeated
from renderer.painting.painters.notices import note
from renderer.settings.render import RenderSettings
from renderer.settings.samplers import ETAS
from renderer.settings.speed_levels import LEAST_STEPS, LEVELS, Compilation

_GREY = 0.5


class Caller:
    """Calls a loaded pipeline as the settings say; use it on the thread that loaded it."""

    def __init__(self, loaded: Loaded, settings: RenderSettings) -> None:
        self.pipeline = loaded.pipeline
        self._loaded = loaded
        self._family = loaded.family
        self._take(settings)
        self._ladder = Ladder(
            loaded.pipeline,
            loaded.device,
            but={*loaded.offloaded, *[QUANTISED] * (settings.quantise == "no")},
        )
        level = LEVELS[settings.speed]
        self._cutoff = Cutoff(level.guided, self._family.halved)
        every = self._every(settings)
        self._deep_cache = DeepCache(every)
        self._previewer = Previewer()
        self.record = _record if loaded.device.device.type == "cuda" else None
        """Returns a place in the GPU's queue, which can be waited for."""
        self._queued: Any = None
        self._together = not self._family.stray_noise
        self._compiled: Compiled | None = None
        if loaded.device.device.type == "cuda" and OFFLOADED not in loaded.offloaded:
            calls = Geometry.of(settings).calls(settings.method, settings.tile)
            whole = len(calls) == 1 and self._family.graphs and every == 1
            self.compile(level.compilation if whole else "blocks")

    def adjust(self, settings: RenderSettings) -> bool:
        """Go on with other steps, guidance or strength; False: what is compiled doesn't suit."""
        if self._every(settings) != self._every(self._settings):
            return False
        self._take(settings)
        return True

    def _every(self, settings: RenderSettings) -> int:
        level = LEVELS[settings.speed]
        return level.whole_every(settings.steps) if self._family.has_unet else 1

    def _take(self, settings: RenderSettings) -> None:
        self._settings = settings
        self._guided = self._family.guided(self.pipeline, settings.guidance_scale)
        if settings.negative_prompt and not self._guided:
            note(
                f"{self._loaded.model} paints without guidance, so the negative prompt does nothing"
            )
        self._prompts = Prompts(
            self.pipeline, self._family, self._loaded.device.device, self._guided
        )

    def compile(self, how: Compilation, backend: Backend = "inductor") -> None:
        """Compile the denoiser from the next call on, where it has parts to compile."""
        # With few steps it is a large part of the work.
        vae = getattr(self.pipeline, "vae", None) if self._settings.steps < LEAST_STEPS else None
        if how == "whole" or repeated_blocks(self._denoiser):
            self._compiled = Compiled(self._denoiser, how, vae, backend)

    @property
    def _denoiser(self) -> Any:
        return getattr(self.pipeline, self._family.denoiser)

    @property
    def rungs(self) -> tuple[str, ...]:
        """What is done to need less memory, by name."""
        return self._ladder.taken

    def call(self, job: PaintJob, seeds: Sequence[int], on_step: OnStep) -> torch.Tensor:
        """A picture a seed, (N, 3, H, W) in [0, 1] on the device, not finite if the model failed.

        The job's own seed is not looked at. Several are painted together where the family can and
        memory is large enough, else one after another. Where memory is full the same call is made
        again, each time a rung further down. Raises PainterError when there is none left or the
        device fails, and whatever ``on_step`` raises.
        """
        if len(seeds) > 1 and not self._together:
            parts = [
                self.call(job, [seed], one_of(on_step, index, len(seeds)))
                for index, seed in enumerate(seeds)
            ]
            return torch.cat(parts)
        pictures, failure = self._try(job, seeds, on_step)
        if pictures is None:
            # Outside of the handler, whose traceback would keep the call's tensors alive.
            self._fall_back(failure, job, len(seeds))
            return self.call(job, seeds, on_step)
        return pictures

    def _fall_back(self, failure: str, job: PaintJob, count: int) -> None:
        """Change what may help against ``failure``; PainterError where nothing is left to change.

        ``failure``: empty for a full memory, else the error of the compilation.
        """
        device = self._loaded.device.name
        size = f"{job.mask.shape[1]}x{job.mask.shape[0]}"
        if count > 1 and not failure:
            self._together = False
            release()
            note(
                f"{device} has too little memory for {count} candidates of {size}: from now on "
                "they are painted one at a time; this is slower"
            )
            return
        # What moves weights hooks into the denoiser, which must then be what it was.
        if self._compiled is not None and (failure or self._ladder.moves_next):
            self._compiled.undo()
            self._compiled = None
            release()
            cause = f"can't be compiled here ({failure})" if failure else "is too large compiled"
            note(f"the model {cause}, so it runs on uncompiled, which is slower")
            return
        rung = self._ladder.step_down()
        if rung is None:
            raise PainterError(
                f"{device} has too little memory for {size}, whatever is done to need less; "
                "use a smaller keyframe size, or resume when the device is free"
            )
        note(f"{device} has too little memory for {size}: from now on {rung.name}; {rung.price}")

    def _try(
        self, job: PaintJob, seeds: Sequence[int], on_step: OnStep
    ) -> tuple[torch.Tensor | None, str]:
        """(pictures, ""), or (None, what failed) for what ``_fall_back`` may mend."""
        batch = (len(seeds), self._guided, *job.mask.shape)
        compiled = self._compiled if self._serves(job) else None
        warming_up = compiled is not None and compiled.warms_up(batch)
        if warming_up:
            note("warming up: the model is compiled, so this picture takes a minute or two longer")
        aside = self._compiled.set_aside() if self._compiled and not compiled else nullcontext()
        try:
            with aside:
                pictures = self._call(job, seeds, on_step)
        except FAILURES as error:
            if is_full(error):
                return None, ""
            mendable = warming_up or (self._compiled and comes_from_compiler(error))
            if is_lost(error) or not mendable:
                raise
            return None, root_line(error)
        finally:
            # The pipeline does this only at a normal end; no effect where nothing is offloaded.
            self.pipeline.maybe_free_model_hooks()
        if compiled is not None:
            compiled.warmed_up(batch)
        return pictures, ""

    def _serves(self, job: PaintJob) -> bool:
        """Whether it is worth compiling for: a first picture's size comes only once in a film."""
        return self._compiled is None or self._compiled.how == "blocks" or not _is_first(job)

    @torch.no_grad()
    def _call(self, job: PaintJob, seeds: Sequence[int], on_step: OnStep) -> torch.Tensor:
        # No inference mode: layers that take turns on the device could not be moved back.

        def step_end(pipeline: Any, index: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            self._keep_pace()
            on_step(index + 1, pipeline.num_timesteps)
            self._previewer.at_step_end(tensors.pop("latents"), job)
            halved = self._cutoff.at_step_end(pipeline, index, tensors)
            self._deep_cache.at_step_end(index, pipeline.num_timesteps, changed=bool(halved))
            return halved

        self._previewer.begin()
        self._queued = None
        noise = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        inputs = self._inputs(job, len(seeds))
        words = self._prompts.of(job, self._family.instruction if inputs.borders else "")
        eta = ETAS.get(type(self.pipeline.scheduler).__name__)
        with self._stray_noise(seeds[0]), self._deep_cache.around(self._denoiser):
            pictures = self._family.paint(
                self.pipeline,
                inputs,
                **repeated(words, len(seeds)),
                **({"eta": eta} if eta else {}),
                generator=noise if len(noise) > 1 else noise[0],
                callback_on_step_end=step_end,
                callback_on_step_end_tensor_inputs=["latents", *self._cutoff.tensors],
            )
        self._previewer.end(pictures[0])
        return pictures

    def _keep_pace(self) -> None:
        """Wait until all but the step that was just queued is done, so that progress is true.

        With CUDA graphs all steps are queued in a moment. The GPU still never waits for the next.
        """
        if self.record is not None:
            last, self._queued = self._queued, self.record()
            if last is not None:
                last.synchronize()

    def _inputs(self, job: PaintJob, count: int) -> Inputs:
        """The job as tensors, so many times; a first picture at full strength, over plain grey.

        Nothing of that picture is known: a strength below 1 would let the blank canvas through.
        """
        device = self._loaded.device.device
        first = _is_first(job)
        strength = self._settings.strength if job.strength is None else job.strength
        mask = torch.from_numpy(whole_cells(job.mask, self._family.cell))
        canvas = torch.tensor(np.ascontiguousarray(job.canvas), device=device)
        image = canvas.permute(2, 0, 1)[None].float() / 255
        return Inputs(
            # Each its own: a picture is encoded with its own noise.
            canvas=(torch.full_like(image, _GREY) if first else image).repeat(count, 1, 1, 1),
            mask=mask.to(device, torch.float32)[None, None].repeat(count, 1, 1, 1),
            steps=self._settings.steps,
            guidance_scale=self._settings.guidance_scale,
            strength=1.0 if first else strength,
            first=first,
            enlarged=job.refine,
        )

    @contextmanager
    def _stray_noise(self, seed: int) -> Iterator[None]:
        """Seed torch's global generators where the pipeline draws from them; then put them back."""
        if not self._family.stray_noise:
            yield
            return
        device = self._loaded.device.device
        devices = [torch.cuda.current_device()] if device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(seed)
            yield


def _record() -> Any:
    event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
    event.record()
    return event


def _is_first(job: PaintJob) -> bool:
    return bool(job.mask.all()) and not job.refine


def whole_cells(mask: NDArray[np.bool_], cell: int) -> NDArray[np.bool_]:
    """The mask grown to whole cells of ``cell`` pixels, (H, W) → (H, W), both multiples of it.

    A pipeline looks at one pixel of each cell, or at a few, and would take for known a cell that is
    masked except for that pixel, with the grey of its masked part: a frame around the picture.
    """
    height, width = mask.shape
    rows = mask.reshape(height // cell, cell, width).any(axis=1)
    cells = rows.reshape(height // cell, width // cell, cell).any(axis=2)
    return cells.repeat(cell, axis=0).repeat(cell, axis=1)
