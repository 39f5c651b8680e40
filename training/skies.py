"""Skies: what is seen in pictures, with stars laid behind some things and galaxies about others.

Decides which pictures are drawn, and how often. Pure but for the numbers that it is given; knows
places (``augment``) and pixels (``atlas``), nothing of colours, captions and files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from renderer.errors import SettingsError
from training import augment
from training.atlas import Atlas, Views

ALONE_SHARE = 0.4
"""So much of a batch shows one thing in the dark; the rest fills the frame."""
BACKED_SHARE = 0.45
"""So much of a batch has stars behind; things in the dark come first."""
BACKED_LIGHT = 0.35, 1.0
"""How bright those are, to what they were."""
COMPANY_SHARE = 0.8
"""So many galaxies are seen among others: around one by itself there is nothing but night, and a
model that has only seen that paints nothing but night around one."""
COMPANY_LIGHT = 0.6, 1.0
"""How bright the others are, to what they were."""

_DRAWS = [
    augment.PLACE_DRAWS,
    augment.PLACE_DRAWS,
    2,
    3,
    augment.NEIGHBOURS * (augment.NEIGHBOUR_DRAWS + 1),
]
DRAWS = sum(_DRAWS)
"""Random numbers of a sky: place, stars behind, how those are laid, whether there is company, what
company."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of each picture; all (pictures,)."""

    alone: NDArray[np.bool_]
    """It is one thing in the dark."""
    starry: NDArray[np.bool_]
    """It may be laid behind others, as stars are behind everything."""
    galaxy: NDArray[np.bool_]
    """It may be laid about its like."""


@dataclass(frozen=True, slots=True)
class Sky:
    """A batch of them, on the atlas's device."""

    picture: Tensor
    """(N,) int64: which picture each one is of."""
    light: Tensor
    """(N, 3, S, S) float in [0, 1]."""
    among_many: Tensor
    """(N,) bool: it is rather one of many galaxies than a galaxy."""


@dataclass(frozen=True, slots=True)
class _Choices:
    """What may be drawn for views of one size."""

    main: augment.Choice
    stars: augment.Choice | None
    galaxies: augment.Choice | None


class Skies:
    """Skies of ``pictures``, (H, W, 3) uint8 each."""

    def __init__(
        self, pictures: Sequence[NDArray[np.uint8]], traits: Traits, device: torch.device
    ) -> None:
        self._atlas = Atlas(pictures, device)
        self._traits = traits
        self._social = traits.galaxy & traits.alone
        self._brightness = np.array([picture.max(2).mean() / 255 for picture in pictures])
        self._sides = np.array([picture.shape[:2] for picture in pictures], dtype=np.float64)
        self._choices: dict[int, _Choices] = {}

    @property
    def device(self) -> torch.device:
        return self._atlas.device

    def look(self, size: int, draws: Tensor) -> Sky:
        """Skies of ``size`` pixels a side. ``draws``: (N, ``DRAWS``) in [0, 1).

        Raises SettingsError when no picture is large enough.
        """
        where, behind, backing, company, others = torch.split(draws, _DRAWS, dim=1)
        if size not in self._choices:
            self._choices[size] = self._choice(size)
        choices = self._choices[size]
        views = augment.place(self._atlas, choices.main, size, where)
        crowd = self._crowd(views, company)
        views = augment.farther(views, crowd)
        light = self._atlas.look(views, size)
        if choices.stars is not None:
            wanting = backing[:, 0] + 0.6 * choices.main.alone[views.picture]
            self._lay_stars(light, choices.stars, wanting, behind, backing[:, 1])
        if choices.galaxies is not None:
            self._lay_galaxies(light, choices.galaxies, crowd, others)
        return Sky(views.picture, light, crowd > company[:, 2])

    def _crowd(self, views: Views, company: Tensor) -> Tensor:
        """How crowded it is about galaxies, (N,): 0 where there is no other one, at most 1."""
        first, how, _ = company.unbind(1)
        social = torch.from_numpy(self._social).to(self.device)[views.picture]
        return torch.where(social & (first < COMPANY_SHARE), how, 0.0)

    def _lay_stars(
        self,
        light: Tensor,
        stars: augment.Choice,
        wanting: Tensor,
        draws: Tensor,
        strength: Tensor,
    ) -> None:
        """Lay stars behind those rows of ``light`` that want them most."""
        rows = wanting.topk(round(len(wanting) * BACKED_SHARE)).indices
        views = augment.place(self._atlas, stars, light.shape[-1], draws[rows])
        self._add(light, rows, views, _between(BACKED_LIGHT, strength[rows]))

    def _lay_galaxies(
        self, light: Tensor, galaxies: augment.Choice, crowd: Tensor, draws: Tensor
    ) -> None:
        """Lay others about the galaxies in ``light``: a third of all that may be, or more."""
        counts = augment.NEIGHBOURS * (1 + 2 * crowd) / 3 * (crowd > 0)
        for number, some in enumerate(draws.chunk(augment.NEIGHBOURS, dim=1)):
            rows = (counts > number).nonzero().flatten()
            strength, where = some[rows, 0], some[rows, 1:]
            views = augment.anywhere(self._atlas, galaxies, light.shape[-1], where)
            self._add(light, rows, views, _between(COMPANY_LIGHT, strength))

    def _add(self, light: Tensor, rows: Tensor, views: Views, strength: Tensor) -> None:
        """Add what is seen in ``views``, that bright, to rows of ``light``."""
        if len(rows):
            more = self._atlas.look(views, light.shape[-1]) * strength[:, None, None, None]
            light[rows] = augment.screened(light[rows], more)

    def _choice(self, size: int) -> _Choices:
        fits = np.array([augment.fits(short, size) for short in self._sides.min(1)])
        alone, starry = self._traits.alone, self._traits.starry
        filled = fits & ~alone
        # Twice the sides count for twice as much, not four times: else one mosaic would be all
        # there is. And most of a dark picture is empty.
        extent = np.sqrt(self._sides.prod(1))
        share = (
            np.where(filled, extent * np.sqrt(self._brightness), 0.0),
            np.where(alone, np.sqrt(extent), 0.0),
        )
        weights = [part / part.sum() for part in share if part.any()]
        if not weights:
            raise SettingsError(f"no picture of the pack is large enough for {size} pixels a side")
        mixed = weights[0]
        if len(weights) == 2:
            mixed = weights[0] * (1 - ALONE_SHARE) + weights[1] * ALONE_SHARE
        stars, galaxies = extent * (filled & starry), self._social.astype(np.float64)
        return _Choices(
            self._drawn_by(mixed),
            self._drawn_by(stars) if stars.any() else None,
            self._drawn_by(galaxies) if galaxies.any() else None,
        )

    def _drawn_by(self, weights: NDArray[np.float64]) -> augment.Choice:
        shares = np.cumsum(weights / weights.sum())
        return augment.Choice(
            torch.from_numpy(shares).float().to(self.device),
            torch.from_numpy(self._traits.alone).to(self.device),
        )


def _between(bounds: tuple[float, float], uniform: Tensor) -> Tensor:
    low, high = bounds
    return low + (high - low) * uniform
