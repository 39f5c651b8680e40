"""A device that fails while it loads or paints: told apart from a full memory and from bugs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel

from renderer.errors import DeviceLost, PainterError
from renderer.painting.painters import PaintJob
from renderer.painting.painters.diffusion.device_errors import is_lost
from renderer.painting.painters.diffusion.loading import load
from renderer.painting.painters.diffusion.painter import DiffusionPainter
from renderer.settings.render import RenderSettings

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array_:DeprecationWarning"),
]

ILLEGAL = "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be …"


def paint_with(error: Exception, folder: Path) -> None:
    """Paint with a model whose denoiser raises ``error``."""
    settings = RenderSettings(prompt="a castle", steps=2, model=str(folder))
    painter = DiffusionPainter(load(settings), settings)

    def fail(*_: Any) -> None:
        raise error

    painter.caller.pipeline.unet.register_forward_hook(fail)
    canvas = np.zeros((64, 64, 3), dtype=np.uint8)
    job = PaintJob(canvas, np.ones((64, 64), dtype=bool), "a castle", "", seed=1, keyframe=0)
    painter.paint(job, lambda done, total: None)


KINDS = [getattr(torch, "AcceleratorError", RuntimeError), RuntimeError]


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_that_fails_is_lost_to_this_process(
    kind: type[Exception], folders: dict[str, Path]
) -> None:
    with pytest.raises(DeviceLost, match=r"failed .*illegal memory access") as caught:
        paint_with(kind(ILLEGAL), folders["sd"])
    assert caught.value.exit_code == 8
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", [(torch.nn.Module, "to"), (UNet2DConditionModel, "from_config")])
def test_a_device_that_fails_while_the_model_is_loaded_is_lost_as_well(
    kind: type[Exception],
    place: tuple[Any, str],
    folders: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise kind(ILLEGAL)

    monkeypatch.setattr(*place, fail)
    with pytest.raises(DeviceLost, match=r"^CPU.* failed \(.*illegal memory access") as caught:
        load(RenderSettings(prompt="a castle", steps=2, model=str(folders["sd"])))
    assert caught.value.exit_code == 8
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "Triton Error [CUDA]: an illegal memory access was encountered",
        "Triton Error [CUDA]: device-side assert triggered",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "CUDA driver error: unspecified launch failure",
        "HIP error: an illegal memory access was encountered",
    ],
)
def test_a_failed_device_is_known_in_all_its_wordings(text: str) -> None:
    assert is_lost(RuntimeError(text))


@pytest.mark.parametrize(
    "text",
    [
        "CUDA driver error: out of memory",
        "Unable to find an engine to execute this computation",
        "Triton Error [CUDA]: invalid argument",  # of a kernel that eager torch does without
        "CUDA error: no kernel image is available for execution on the device",
        "CUDA error: operation not permitted when stream is capturing",
        "CUDA error: operation failed due to a previous error during capture",
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_not_every_error_of_a_device_is_the_end_of_it(kind: type[Exception], text: str) -> None:
    assert not is_lost(kind(text))


@pytest.mark.parametrize("kind", KINDS)
def test_a_torch_that_was_built_for_other_gpus_is_no_device_to_try_again(
    kind: type[Exception], folders: dict[str, Path]
) -> None:
    unfit = "CUDA error: no kernel image is available for execution on the device\nFor debugging"
    with pytest.raises(PainterError, match=r"^this torch was not built for CPU.*install") as caught:
        paint_with(kind(unfit), folders["sd"])
    assert caught.value.exit_code == 5
    assert "\n" not in str(caught.value)


def test_a_bug_is_no_lost_device(folders: dict[str, Path]) -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        paint_with(RuntimeError("shapes do not fit"), folders["sd"])
