"""Where to look in a picture, and how it may look: chance, for whole batches at once.

Every function takes uniform random numbers in [0, 1) and is otherwise pure. No view shows a
mirrored corner or a blurred enlargement: a picture that fills its frame is looked at inside it
only, and a thing alone in the dark has more dark around it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from training.atlas import Atlas, Views
from training.captions import hue_ranges

ENLARGED = 1.2
"""At most so much larger than its picture is a view shown."""
REDUCED = 3.5
"""At most so much smaller: then stars are dust."""
APPARENT = 0.3, 1.6
"""The longer side of a thing alone, in sides of the view."""
ASIDE = 0.36
"""How far from the middle of the view its middle may be, in sides of the view."""
_ANYWHERE = 0.5
"""The same of a thing that may lie on the edge of the view."""
RIM = 0.14
"""Its picture fades to dark over this share of its sides."""
_GLANCE = 12
"""Pixels a side of the glance that finds where there is light."""
NEIGHBOURS = 12
"""At most so many galaxies lie about another one, in a view from far away."""
_FARTHER = 3.0
"""From so much farther away at most is a galaxy seen among others."""
_SMALL = 0.09, 0.5
"""The longer side of a neighbour, in sides of the view."""
PLACE_DRAWS = 8
NEIGHBOUR_DRAWS = 6
COLOUR_DRAWS = 6
EXPOSED = 0.25
"""Mean light up to which darker pictures may be exposed longer, three times at most."""
_LONGEST = 3.0

_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


@dataclass(frozen=True, slots=True)
class Choice:
    """Pictures that may be drawn, and how often: both (pictures,) on the atlas's device."""

    cumulated: Tensor
    """float: cumulated shares, up to 1."""
    alone: Tensor
    """bool: the picture is one thing in the dark."""

    def draw(self, uniform: Tensor) -> Tensor:
        """(N,) in [0, 1) → (N,) int64, numbers of pictures."""
        last = len(self.cumulated) - 1
        return torch.searchsorted(self.cumulated, uniform.contiguous(), right=True).clamp(max=last)


def fits(short_side: float, size: int) -> bool:
    """Whether a view of ``size`` pixels can lie inside a picture without being blurred."""
    return short_side * ENLARGED >= size


def place(atlas: Atlas, choice: Choice, size: int, draws: Tensor) -> Views:
    """Views of ``size`` pixels a side. ``draws``: (N, ``PLACE_DRAWS``)."""
    picked, turn, scale, x, y, other_x, other_y, mirror = draws.unbind(1)
    picture = choice.draw(picked)
    alone = choice.alone[picture]
    width, height = atlas.width[picture], atlas.height[picture]
    short, long = torch.minimum(width, height), torch.maximum(width, height)
    least = torch.full_like(short, size / ENLARGED)

    angle = _angle(turn, torch.where(alone, math.inf, short / least))
    reach = torch.cos(angle).abs() + torch.sin(angle).abs()
    most = torch.minimum(short / reach, least * ENLARGED * REDUCED).maximum(least)
    side = torch.where(
        alone, _side_around(long, APPARENT, size, scale), _between(least, most, scale)
    )
    half = side * reach / 2
    spots = [
        Views(
            picture=picture,
            x=torch.where(alone, _beside(width, side, ASIDE, u), _inside(width, half, u)),
            y=torch.where(alone, _beside(height, side, ASIDE, v), _inside(height, half, v)),
            side=side,
            angle=angle,
            mirrored=mirror < 0.5,
            rim=torch.where(alone, RIM, 0.0),
        )
        for u, v in ((x, y), (other_x, other_y))
    ]
    return _lighter(atlas, *spots)


def farther(views: Views, distance: Tensor) -> Views:
    """The same from farther away: ``distance`` (N,) is 0 where they stay as they are, at most 1."""
    return replace(views, side=views.side * _FARTHER**distance)


def anywhere(atlas: Atlas, choice: Choice, size: int, draws: Tensor) -> Views:
    """Things alone, small, anywhere in views of ``size`` pixels, and maybe a part of them only.

    ``draws``: (N, ``NEIGHBOUR_DRAWS``).
    """
    picked, turn, scale, x, y, mirror = draws.unbind(1)
    picture = choice.draw(picked)
    width, height = atlas.width[picture], atlas.height[picture]
    side = _side_around(torch.maximum(width, height), _SMALL, size, scale)
    return Views(
        picture=picture,
        x=_beside(width, side, _ANYWHERE, x),
        y=_beside(height, side, _ANYWHERE, y),
        side=side,
        angle=turn * (2 * math.pi),
        mirrored=mirror < 0.5,
        rim=torch.full_like(side, RIM),
    )


def _angle(turn: Tensor, room: Tensor) -> Tensor:
    """Any angle where the picture has ``room`` enough (sides), else one nearer to a quarter turn.

    A square turned by a reaches cos a + sin a of its side; sin 2a = room² - 1 at the limit.
    """
    limit = torch.asin((room * room - 1).clamp(0, 1)) / 2
    limit = torch.where(room >= math.sqrt(2), math.pi / 4, limit)
    quarter = torch.floor(turn * 4)
    return quarter * (math.pi / 2) + (2 * (turn * 4 - quarter) - 1) * limit


def _between(low: Tensor, high: Tensor, uniform: Tensor) -> Tensor:
    """Evenly on the scale of logarithms."""
    return low * (high / low) ** uniform


def _inside(length: Tensor, half: Tensor, uniform: Tensor) -> Tensor:
    return half + uniform * (length - 2 * half).clamp(min=0)


def _beside(length: Tensor, side: Tensor, aside: float, uniform: Tensor) -> Tensor:
    return length / 2 + (2 * uniform - 1) * aside * side


def _side_around(long: Tensor, shares: tuple[float, float], size: int, uniform: Tensor) -> Tensor:
    """Of views in which ``long`` takes up a share between two of them, and nothing is blurred."""
    nearest, farthest = (long / share for share in reversed(shares))
    return _between(nearest, farthest, uniform).clamp(min=size / ENLARGED)


def _lighter(atlas: Atlas, one: Views, other: Views) -> Views:
    """Of two places in a picture the one with more light: most of the sky is empty."""
    first = atlas.glance(one, _GLANCE) >= atlas.glance(other, _GLANCE)
    x, y = torch.where(first, one.x, other.x), torch.where(first, one.y, other.y)
    return replace(one, x=x, y=y)


def screened(light: Tensor, more: Tensor) -> Tensor:
    """Two lights at once, [0, 1] each: what one leaves of the dark, the other may fill."""
    return 1 - (1 - light) * (1 - more)


def coloured(pictures: Tensor, draws: Tensor) -> Tensor:
    """Hues turned, exposed longer, contrast changed a little: (N, 3, H, W) in [0, 1] and back.

    Some keep their hues, some have them turned a little; the rest are led to one of the colours
    that captions know, each as often as the others: the sky by itself has next to nothing golden,
    green or teal. ``draws``: (N, ``COLOUR_DRAWS``).
    """
    way, turn, other, gain, gamma, longer = draws.unbind(1)
    little = 0.5 * (turn + other - 1) * math.pi
    led = _angle_of_name(turn, other) - _main_angle(pictures)
    angle = torch.where(way < 0.25, 0.0, torch.where(way < 0.45, little, led))
    turned = torch.einsum("nij,njhw->nihw", _hue_matrix(angle), pictures).clamp(0, 1)
    light = turned.amax(1).mean((1, 2)).clamp(min=1e-3)
    lack = (EXPOSED / light).clamp(1, _LONGEST)
    exposure = torch.exp((gain - 0.5) * 0.44) * lack ** longer.sqrt()
    power = torch.exp((gamma - 0.5) * 0.36)
    return (turned ** power[:, None, None, None] * exposure[:, None, None, None]).clamp(0, 1)


def _main_angle(pictures: Tensor) -> Tensor:
    """(N, 3, H, W) → (N,) radians: where most of a picture's colour points, in YIQ."""
    chroma = torch.einsum("ij,nj->ni", _YIQ[1:].to(pictures.device), pictures.mean((2, 3)))
    return torch.atan2(chroma[:, 1], chroma[:, 0])


def _angle_of_name(which: Tensor, where: Tensor) -> Tensor:
    """(N,) uniform, which colour and where in its range → (N,) radians in YIQ."""
    ranges = torch.tensor(hue_ranges(), device=which.device)
    begin, end = ranges[(which * len(ranges)).long()].unbind(1)
    sixth = (begin + where * ((end - begin) % 360)) % 360 / 60
    corners = torch.tensor([0.0, 4.0, 2.0], device=which.device)
    pure = (((sixth[:, None] + corners) % 6 - 3).abs() - 1).clamp(0, 1)
    return _main_angle(pure[:, :, None, None])


def _hue_matrix(angle: Tensor) -> Tensor:
    """(N,) radians → (N, 3, 3): RGB to RGB, hue turned about the grey axis in NTSC's YIQ."""
    forward = _YIQ.to(angle.device)
    cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    rows = [one, zero, zero, zero, cos, -sin, zero, sin, cos]
    turn = torch.stack(rows, 1).reshape(-1, 3, 3)
    matrix: Tensor = torch.linalg.inv(_YIQ).to(angle.device) @ turn @ forward
    return matrix
