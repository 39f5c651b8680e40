"""Small real painters to render with, named on the command line as ``tests.painters:NAME``.

``model``, which no other painter without a model uses, says from which keyframe on they misbehave.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NoReturn

import numba
import numpy as np
from numpy.typing import NDArray

from renderer.errors import Cancelled, DeviceLost, PainterError, SettingsError
from renderer.painting.painters import OnStep, PaintJob, preview_hook
from renderer.settings.render import RenderSettings

STEPS = 3


@dataclass(frozen=True)
class Gradient:
    """Quick and deterministic: a soft ramp whose colours come from the prompt and the seed."""

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        for step in range(STEPS):
            on_step(step + 1, STEPS)
        height, width = job.mask.shape
        rng = np.random.default_rng([job.seed, *job.prompt.encode()])
        corners = rng.uniform(60, 200, (2, 2, 3))
        down, across = np.linspace(0, 1, height), np.linspace(0, 1, width)
        ramp = np.einsum(
            "yi,ijc,xj->yxc",
            np.stack([1 - down, down], 1),
            corners,
            np.stack([1 - across, across], 1),
        )
        return np.where(job.mask[:, :, None], np.rint(ramp).astype(np.uint8), job.canvas)


@dataclass(frozen=True)
class Picky(Gradient):
    """Paints with ten steps at most."""

    def check(self, settings: RenderSettings) -> None:
        if settings.steps > 10:
            raise SettingsError(f"steps must be at most 10, not {settings.steps}", "steps")


@dataclass(frozen=True)
class Grainy:
    """As quick as ``Gradient``, with grain that neither PNG nor film can pack."""

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        grain = np.random.default_rng(job.seed).integers(-8, 9, job.canvas.shape)
        soft = Gradient().paint(job, on_step)
        return np.where(job.mask[:, :, None], soft + grain, soft).astype(np.uint8)


@dataclass(frozen=True)
class Until:
    """Paints as ``Gradient`` does until keyframe ``last``; what comes then is in ``turn``."""

    last: int

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        if job.keyframe >= self.last:
            self.turn(job, on_step)
        return Gradient().paint(job, on_step)

    def turn(self, job: PaintJob, on_step: OnStep) -> None:
        raise NotImplementedError


class Failing(Until):
    """Says that it can't go on."""

    def turn(self, job: PaintJob, on_step: OnStep) -> NoReturn:
        raise PainterError(f"out of paint at keyframe {job.keyframe}; buy some")


class Broken(Until):
    """Has a bug."""

    def turn(self, job: PaintJob, on_step: OnStep) -> NoReturn:
        raise ZeroDivisionError("the painter's own bug")


class Endless(Until):
    """Reports steps for ever, and so can be cancelled at any; shows its canvas to who asks."""

    def turn(self, job: PaintJob, on_step: OnStep) -> NoReturn:
        for step in itertools.count(1):
            on_step(step, 10**6)
            if preview_hook.wanted():
                preview_hook.show(preview_hook.sampled(job.canvas))
            threading.Event().wait(0.005)  # a step's work
        raise AssertionError


class Sore(Endless):
    """As ``Endless``, but can't be cancelled without harm."""

    def turn(self, job: PaintJob, on_step: OnStep) -> NoReturn:
        try:
            super().turn(job, on_step)
        except Cancelled:
            raise PainterError("the paint was spilt") from None


class Deaf(Until):
    """Reports one step and then works for ever without another: can't be cancelled."""

    def turn(self, job: PaintJob, on_step: OnStep) -> NoReturn:
        on_step(1, 10**6)
        threading.Event().wait()
        raise AssertionError


class Aborting(Until):
    """Ends its process without a word, as a bug in a library below Python does."""

    def turn(self, job: PaintJob, on_step: OnStep) -> NoReturn:
        os.abort()


class Lost(Until):
    """Its device can't be used any more by this process."""

    def turn(self, job: PaintJob, on_step: OnStep) -> NoReturn:
        raise DeviceLost("cuda failed (an illegal memory access); a new process can go on")


@dataclass(frozen=True)
class Interrupted:
    """Gets the signal ``number`` in a compiled loop, which goes on to its end all the same."""

    number: int

    def paint(self, job: PaintJob, on_step: OnStep) -> NoReturn:
        library = ctypes.CDLL(None)
        send, look = library["raise"], library["PyErr_CheckSignals"]
        send.argtypes, look.argtypes = [ctypes.c_int], []

        @numba.njit  # type: ignore[untyped-decorator]
        def loop(number: int) -> int:
            send(number)
            return look()  # as turning the result into an object may do

        raise AssertionError(loop(self.number))


@dataclass(frozen=True)
class Once:
    """Paints as ``Gradient`` does, but comes to ``harm`` at the keyframes in the file ``model``.

    It takes each of them out of the file beforehand; one that is there twice is harmed twice.
    """

    diary: Path
    harm: type[Until]

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        due = self.diary.read_text(encoding="utf-8").split()
        if str(job.keyframe) in due:
            due.remove(str(job.keyframe))
            self.diary.write_text(" ".join(due), encoding="utf-8")
            self.harm(job.keyframe).turn(job, on_step)
        return Gradient().paint(job, on_step)


@dataclass(frozen=True)
class Following:
    """Night or day, as its prompts say, but half of it as light as what it is shown.

    It changes the whole picture, as an autoencoder does; where the prompt is ``dimmer`` each border
    is ``DIMMER`` levels darker than that.
    """

    LIGHTS: ClassVar = {"night": 33.0, "day": 168.0}
    DIMMER: ClassVar = 3.0

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        on_step(STEPS, STEPS)
        own = np.random.default_rng(job.seed).normal(0, 12, (8, 8, 3)).astype(np.float32)
        scene = np.kron(own, np.ones([-(-n // 8) for n in job.mask.shape] + [1]))
        scene = scene[: job.mask.shape[0], : job.mask.shape[1]]
        earlier, wanted = (self.LIGHTS.get(each) for each in (job.earlier_prompt, job.prompt))
        if job.keyframe == 0:
            return np.clip(scene + (wanted or 0), 0, 255).astype(np.uint8)
        shown = float(job.canvas[~job.mask].mean())
        if wanted is None:
            light = shown - self.DIMMER
        else:
            light = (shown + wanted) / 2
            if earlier is not None:
                light -= (1 - job.blend) * (wanted - earlier) / 2
        painted = np.where(job.mask[:, :, None], scene + light, job.canvas + 1.0)
        return np.clip(np.rint(painted), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Gated:
    """Paints as ``Gradient`` does, one keyframe not before there is a file ``model``.

    Which: the ending of the file's name says so (``gate.12``); keyframe 2 where it has none.
    """

    gate: Path

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        shut = job.keyframe == int(self.gate.suffix[1:] or 2)
        while shut and not self.gate.exists():
            on_step(1, 10**6)
            threading.Event().wait(0.01)  # a step's work
        return Gradient().paint(job, on_step)


@dataclass(frozen=True)
class Witnessed:
    """Leaves a line in the file ``model`` for being made and for each keyframe painted."""

    diary: Path

    def paint(self, job: PaintJob, on_step: OnStep) -> NDArray[np.uint8]:
        earlier = f" {job.blend:.2f} after {job.earlier_prompt}" if job.earlier_prompt else ""
        self.write(f"{job.keyframe} {job.prompt}{earlier}".strip())
        return Gradient().paint(job, on_step)

    def write(self, line: str) -> None:
        with self.diary.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


class Adjustable(Witnessed):
    """Goes on with other steps, and notes that it does."""

    def adjust(self, settings: RenderSettings) -> bool:
        self.write(f"asked for {settings.steps} steps")
        return settings.steps != 9


def gradient(settings: RenderSettings) -> Gradient:
    return Gradient()


def picky(settings: RenderSettings) -> Picky:
    return Picky()


def grainy(settings: RenderSettings) -> Grainy:
    return Grainy()


def failing(settings: RenderSettings) -> Failing:
    return Failing(int(settings.model))


def broken(settings: RenderSettings) -> Broken:
    return Broken(int(settings.model))


def endless(settings: RenderSettings) -> Endless:
    return Endless(int(settings.model))


def sore(settings: RenderSettings) -> Sore:
    return Sore(int(settings.model))


def deaf(settings: RenderSettings) -> Deaf:
    return Deaf(int(settings.model))


def aborting(settings: RenderSettings) -> Aborting:
    return Aborting(int(settings.model))


def aborting_once(settings: RenderSettings) -> Once:
    return Once(Path(settings.model), Aborting)


def interrupted(settings: RenderSettings) -> Interrupted:
    return Interrupted(int(settings.model))


def lost(settings: RenderSettings) -> Lost:
    return Lost(int(settings.model))


def lost_once(settings: RenderSettings) -> Once:
    return Once(Path(settings.model), Lost)


def following(settings: RenderSettings) -> Following:
    return Following()


def gated(settings: RenderSettings) -> Gated:
    return Gated(Path(settings.model))


def unloadable(settings: RenderSettings) -> NoReturn:
    raise PainterError("the model is nowhere to be found; download it")


def adjustable(settings: RenderSettings) -> Adjustable:
    witnessed(settings)
    return Adjustable(Path(settings.model))


def witnessed(settings: RenderSettings) -> Witnessed:
    painter = Witnessed(Path(settings.model))
    painter.write("made")
    return painter
