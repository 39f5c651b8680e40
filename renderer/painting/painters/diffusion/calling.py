"""One call of the pipeline, made to succeed where it can be: less memory, no compilation.

Knows jobs and pipelines; whether a picture is any good is for ``painter`` to say.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from renderer.errors import PainterError
from renderer.painting.painters import OnStep, PaintJob
from renderer.painting.painters.diffusion.compiling import FAILURES, Backend, Compiled
from renderer.painting.painters.diffusion.families import PIXELS_PER_CELL
from renderer.painting.painters.diffusion.guidance import Cutoff
from renderer.painting.painters.diffusion.hub_errors import causes, one_line
from renderer.painting.painters.diffusion.loading import Loaded
from renderer.painting.painters.diffusion.memory import Ladder, is_full, release
from renderer.painting.painters.diffusion.prompts import Prompts
from renderer.painting.painters.notes import note
from renderer.painting.painters.speed import LEVELS, Compilation
from renderer.settings import RenderSettings

_GREY = 0.5
_DEVICE_ERROR: type[Exception] = getattr(torch, "AcceleratorError", torch.OutOfMemoryError)
"""What torch raises for a GPU that failed; older versions have no class for it."""


class Caller:
    """Calls a loaded pipeline as the settings say; use it on the thread that loaded it."""

    def __init__(self, loaded: Loaded, settings: RenderSettings) -> None:
        self.pipeline = loaded.pipeline
        self._loaded = loaded
        self._settings = settings
        guided = (
            settings.guidance_scale > 1 and loaded.pipeline.unet.config.time_cond_proj_dim is None
        )
        self._prompts = Prompts(loaded.pipeline, loaded.family, loaded.device.device, guided)
        self._ladder = Ladder(loaded.pipeline, loaded.device, offloaded=loaded.offloaded)
        level = LEVELS[settings.speed]
        self._cutoff = Cutoff(level.guided, loaded.family.halved)
        self._compiled: Compiled | None = None
        if loaded.device.device.type == "cuda" and not loaded.offloaded:
            sequential = settings.method == "sequential"
            self.compile("blocks" if sequential else level.compilation)

    def compile(self, how: Compilation, backend: Backend = "inductor") -> None:
        """Compile the denoiser from the next call on."""
        self._compiled = Compiled(self.pipeline.unet, how, backend)

    @property
    def rungs(self) -> tuple[str, ...]:
        """What is done to need less memory, by name."""
        return self._ladder.taken

    def call(self, job: PaintJob, seed: int, on_step: OnStep) -> torch.Tensor:
        """The picture, (3, H, W) in [0, 1] on the device, or not finite if the model failed.

        Where memory is full the same call is made again, each time a rung further down. Raises
        PainterError when there is none left or the device fails, and whatever ``on_step`` raises.
        """
        while True:
            self._say_warm_up(job)
            picture, failure = self._try(job, seed, on_step)
            if picture is not None:
                return picture
            # Outside of the handler, whose traceback would keep the call's tensors alive.
            self._fall_back(failure, job)

    def _say_warm_up(self, job: PaintJob) -> None:
        if self._compiled is not None and self._compiled.warms_up(job.mask.shape):
            note("warming up: the model is compiled, so this picture takes a minute or two longer")

    def _fall_back(self, failure: str, job: PaintJob) -> None:
        """Change what may help against ``failure``; PainterError where nothing is left to change.

        ``failure``: empty for a full memory, else what compilation said.
        """
        if self._compiled is not None:
            self._compiled.undo()
            self._compiled = None
            release()
            cause = f"can't be compiled here ({failure})" if failure else "is too large compiled"
            note(f"the model {cause}, so it runs on uncompiled, which is slower")
            return
        device = self._loaded.device.name
        size = f"{job.mask.shape[1]}x{job.mask.shape[0]}"
        rung = self._ladder.step_down()
        if rung is None:
            raise PainterError(
                f"{device} has too little memory for {size}, whatever is done to need less; "
                "use a smaller keyframe size, or resume when the device is free"
            )
        note(f"{device} has too little memory for {size}: from now on {rung.name}; {rung.price}")

    def _try(self, job: PaintJob, seed: int, on_step: OnStep) -> tuple[torch.Tensor | None, str]:
        """(picture, ""), or (None, what failed) for what ``_fall_back`` may mend."""
        warming_up = self._compiled is not None and self._compiled.warms_up(job.mask.shape)
        try:
            picture = self._call(job, seed, on_step)
        except FAILURES as error:
            if is_full(error):
                return None, ""
            if isinstance(error, _DEVICE_ERROR):
                device = self._loaded.device.name
                raise PainterError(
                    f"{device} failed ({one_line(error)}); resume goes on from here"
                ) from error
            if not warming_up:
                raise
            return None, one_line(list(causes(error))[-1])
        finally:
            # Only the pipeline's own normal end does this; nothing where nothing is offloaded.
            self.pipeline.maybe_free_model_hooks()
        if self._compiled is not None:
            self._compiled.warmed_up(job.mask.shape)
        return picture, ""

    @torch.no_grad()
    def _call(self, job: PaintJob, seed: int, on_step: OnStep) -> torch.Tensor:
        # No inference mode: layers that take turns on the device could not be moved back.

        def step_end(pipeline: Any, index: int, _: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            on_step(index + 1, pipeline.num_timesteps)
            return self._cutoff.at_step_end(pipeline, index, tensors)

        height, width = job.mask.shape
        result = self.pipeline(
            **self._prompts.encode(job.prompt, job.negative_prompt),
            **self._picture(job),
            height=height,
            width=width,
            num_inference_steps=self._settings.steps,
            guidance_scale=self._settings.guidance_scale,
            generator=torch.Generator("cpu").manual_seed(seed),
            output_type="pt",
            callback_on_step_end=step_end,
            callback_on_step_end_tensor_inputs=list(self._cutoff.tensors),
        )
        picture: torch.Tensor = result.images[0]
        return picture

    def _picture(self, job: PaintJob) -> dict[str, Any]:
        """Canvas, mask and strength as the pipeline takes them."""
        device = self._loaded.device.device
        mask = torch.from_numpy(whole_cells(job.mask)).to(device, torch.float32)[None, None]
        if job.mask.all():
            # Nothing is known: any strength below 1 would let the blank canvas shine through.
            height, width = job.mask.shape
            blank = torch.full((1, 3, height, width), _GREY, device=device)
            return {"image": blank, "mask_image": mask, "strength": 1.0}
        canvas = torch.tensor(np.ascontiguousarray(job.canvas), device=device)
        image = canvas.permute(2, 0, 1)[None].float() / 255
        return {"image": image, "mask_image": mask, "strength": self._settings.strength}


def whole_cells(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask grown to whole cells of 8x8 pixels, (H, W) → (H, W), both multiples of 8.

    The pipeline looks at one pixel of each cell and would take a cell as known that is masked but
    for that pixel, with the grey of its masked part: a frame around the picture.
    """
    cell = PIXELS_PER_CELL
    height, width = mask.shape
    cells = mask.reshape(height // cell, cell, width // cell, cell).any(axis=(1, 3))
    return cells.repeat(cell, axis=0).repeat(cell, axis=1)
