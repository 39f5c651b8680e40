"""How borders join and colours drift over many keyframes, with painters whose faults are known.

The painters are synthetic: ``a VAE`` paints what is truly there and spoils all of it as an
autoencoder does; ``an inventor`` goes on from what it is shown, muddy at first, wanders off to
things of its own, and gives each border a cast. What a real model does is not measured here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from renderer.painting.candidate_cost import cost
from renderer.painting.colour_match import Reference
from renderer.painting.outpaint import Outpainted, first_picture, outpaint, picture_of
from renderer.painting.painters import OnStep, Painter, PaintJob
from renderer.painting.seeds import version_seed
from renderer.settings.render import RenderSettings
from tests.worlds import Scene, TrueBorder, VaeLike

Pixels = NDArray[np.uint8]

VARIANTS: dict[str, dict[str, object]] = {
    "defaults of a latent model": {},
    "no colour fit": {"colour_fit": False},
    "no drift guard": {"drift_guard": 0.0},
    "neither overmask nor feather": {"feather": 0, "overmask": 0},
    "no overmask": {"overmask": 0},
    "4 candidates": {"candidates": 4},
}


@dataclass(frozen=True)
class Inventor:
    """Mirrors what it is shown, fades over to a scene of its own, muddies what lies between."""

    settings: RenderSettings
    invents: float = 24.0
    """Pixels from what it is shown after which most is its own."""
    muddy: float = 6.0
    """Pixels within which nothing is sharp."""
    cast: float = 3.0
    """Levels that each channel of a border strays, at random."""
    trend: float = 1.0
    """Levels that each border is brighter than the last."""

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        height, width = job.mask.shape
        rng = np.random.default_rng(job.seed)
        scene = Scene(job.seed % 2**20, level=60, contrast=22)
        own = scene.view(1.5 ** max(job.keyframe - 1, 0), (width, height)).astype(float)
        if job.keyframe == 0:
            return own.astype(np.uint8)
        top, left, bottom, right = _box(~job.mask)
        pads = ((top, height - bottom), (left, width - right), (0, 0))
        base = np.pad(job.canvas[top:bottom, left:right], pads, "symmetric").astype(float)
        y, x = np.arange(height)[:, None], np.arange(width)[None, :]
        away = np.hypot(
            np.maximum(np.maximum(top - y, y - bottom + 1), 0),
            np.maximum(np.maximum(left - x, x - right + 1), 0),
        )
        share = (1 - np.exp(-((away / self.invents) ** 2)))[:, :, None]
        level = base[job.mask].mean()
        mixed = level + (base - level) * (1 - share) + (own - own.mean()) * share
        mud = (job.mask * np.exp(-((away / self.muddy) ** 2)))[:, :, None]
        mixed += mud * (level - mixed)
        mixed += share * (self.trend + rng.normal(0, self.cast, 3))
        spoiled = 0.97 * mixed + 4 + 1.5 * rng.standard_normal(mixed.shape)
        return np.rint(spoiled).clip(0, 255).astype(np.uint8)


def _box(known: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = (np.flatnonzero(known.any(axis=axis)) for axis in (1, 0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


@dataclass(frozen=True)
class Version:
    """A painter that paints another version than it is asked for."""

    painter: Painter
    number: int
    root: int

    def paint(self, job: PaintJob, on_step: OnStep) -> Pixels:
        seed = version_seed(self.root, job.keyframe, 0, self.number)
        return self.painter.paint(replace(job, seed=seed), on_step)


def vae(settings: RenderSettings) -> Painter:
    return VaeLike(TrueBorder(Scene(settings.seed, level=60, contrast=22), settings))


PAINTERS: dict[str, Callable[[RenderSettings], Painter]] = {"a VAE": vae, "an inventor": Inventor}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keyframes", type=int, default=100)
    count = parser.parse_args().keyframes
    print(f"{count} keyframes of 144x96, direct, ρ = 1.5; mean / worst")
    for name, make in PAINTERS.items():
        for variant, changes in VARIANTS.items():
            settings = RenderSettings(
                keyframe_size=(144, 96), zoom_factor=1.5, overmask=8, seed=7
            ).changed(changes)
            print(f"{name:12} {variant:28}", _line(make(settings), settings, count), flush=True)


def _line(painter: Painter, settings: RenderSettings, count: int) -> str:
    made: list[Outpainted] = []
    others: list[float] = []
    picture = first_picture(painter, settings, _ignore)
    reference = Reference.of(picture)
    for keyframe in range(1, count + 1):
        wanted = {"keyframe": keyframe, "reference": reference, "on_step": _ignore}
        kept = outpaint(painter, picture, settings, **wanted)  # type: ignore[arg-type]
        if settings.candidates > 1:
            alone = settings.changed({"candidates": 1})
            for number in range(settings.candidates):
                version = Version(painter, number, settings.seed)
                other = outpaint(version, picture, alone, **wanted)  # type: ignore[arg-type]
                others.append(other.seam)
        made.append(kept)
        picture = picture_of(kept.canvas, settings)
    visible = [abs(np.log(each.seam)) for each in made]
    drifts = [each.drift for each in made]
    line = (
        f"seam {fmean(each.seam for each in made):.3f} / {np.exp(max(visible)):.3f}  "
        f"drift {fmean(drifts):5.1f} / {max(drifts):5.1f}  "
        f"cost {fmean(cost(each.seam, each.drift) for each in made):.3f}"
    )
    return line + (f"  (seam of all versions {fmean(others):.3f})" if others else "")


def _ignore(done: int, total: int) -> None:
    """No steps are shown."""


if __name__ == "__main__":
    main()
