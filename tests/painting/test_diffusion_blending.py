"""Between two prompts: what the denoiser is given of each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from renderer.painting.painters import PaintJob, find
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.painting.painters.diffusion.prompts import mixed
from renderer.settings.render import RenderSettings
from tests.painting.jobs import hooked, ignore, pipeline_of, ring_job
from tests.painting.kinds import GUIDED, KINDS, wide_job

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
]


def painter_of(folder: Path, guidance_scale: float = 7.5) -> DiffusionPainter:
    settings = RenderSettings(
        model=str(folder), prompt="a castle", steps=2, guidance_scale=guidance_scale
    )
    painter = find("diffusion")(settings)
    assert isinstance(painter, DiffusionPainter)
    return painter


def between(share: float) -> PaintJob:
    return replace(ring_job(prompt="a castle"), earlier_prompt="a forest", blend=share)


@pytest.mark.parametrize("kind", ["sd", "sdxl"])
def test_what_the_denoiser_reads_lies_between_the_two_prompts(
    folders: dict[str, Path], kind: str
) -> None:
    painter = painter_of(folders[kind])
    read: list[torch.Tensor] = []

    def keep(module: object, values: object, named: dict[str, torch.Tensor], out: object) -> None:
        read.append(named["encoder_hidden_states"])

    unet = pipeline_of(painter).unet
    handle = unet.register_forward_hook(keep, with_kwargs=True)
    for asked in (ring_job(prompt="a forest"), between(0.25), ring_job(prompt="a castle")):
        painter.paint(asked, ignore)
    handle.remove()
    forest, part, castle = read[0], read[2], read[4]
    assert not torch.equal(forest[1], castle[1])
    assert torch.allclose(part[1], 0.75 * forest[1] + 0.25 * castle[1], atol=1e-6)
    assert torch.equal(part[0], castle[0])  # the negative prompt's is not mixed


@pytest.mark.parametrize("kind", ["sd", "sdxl"])
def test_a_blend_goes_from_one_picture_to_the_other(folders: dict[str, Path], kind: str) -> None:
    painter = painter_of(folders[kind])
    forest, castle = (
        painter.paint(ring_job(prompt=text), ignore) for text in ("a forest", "a castle")
    )
    assert np.array_equal(painter.paint(between(1.0), ignore), castle)
    way = [painter.paint(between(share), ignore).astype(float) for share in (0.001, 0.5, 0.999)]
    from_forest = [np.abs(picture - forest).mean() for picture in way]
    from_castle = [np.abs(picture - castle).mean() for picture in way]
    assert from_forest == sorted(from_forest)
    assert from_castle == sorted(from_castle, reverse=True)


def test_each_text_is_encoded_once_however_they_are_mixed(folders: dict[str, Path]) -> None:
    painter = painter_of(folders["sd"])
    calls: list[str] = []
    with hooked(pipeline_of(painter).text_encoder, lambda *_: calls.append("encoded")):
        painter.paint(ring_job(prompt="a forest"), ignore)
        before = len(calls)
        for share in (0.2, 0.4, 0.6, 0.8):
            painter.paint(between(share), ignore)
        assert len(calls) == 2 * before


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_pipeline_takes_a_mix_of_long_and_short(
    families: dict[str, Path], name: str
) -> None:
    painter = painter_of(families[name], GUIDED.get(name, 1.0))
    short, long = wide_job("a cat"), wide_job("a very long castle on a very long hill")
    one, other = painter.paint(short, ignore), painter.paint(long, ignore)
    for earlier, now in ((short, long), (long, short)):
        half = replace(now, earlier_prompt=earlier.prompt, blend=0.5)
        picture = painter.paint(half, ignore)
        assert (picture != one).any()
        assert (picture != other).any()


def test_texts_of_different_length_are_mixed_over_the_longer() -> None:
    short, long = torch.ones(1, 2, 3), torch.zeros(1, 5, 3)
    assert torch.allclose(mixed(short, long, 0.25), torch.full((1, 5, 3), 0.75))
    assert torch.allclose(mixed(long, short, 0.25), torch.full((1, 5, 3), 0.25))
    (both,) = mixed([short[0]], [long[0]], 0.5)
    assert torch.allclose(both, torch.full((5, 3), 0.5))


def test_masks_of_tokens_are_joined_and_none_stays_none() -> None:
    mask = torch.tensor([[1, 1, 0]])
    assert torch.equal(mixed(mask, torch.tensor([[1, 0]]), 0.5), torch.tensor([[1, 1, 0]]))
    assert mixed(None, None, 0.5) is None
