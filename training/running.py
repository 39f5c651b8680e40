"""How every stage is run: options, a loop within its budget, a way to stop that loses nothing.

Knows nothing of what a stage trains.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

import torch
from torch import Tensor, nn

from renderer.errors import RendererError
from training.clock import Clock
from training.figures import Figures
from training.models import ALL, FULL, Sizes

_SAVE_SECONDS = 60.0
"""Between two checkpoints while a stage goes on: what is lost if it is killed."""
PROGRESS = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a stage is told."""

    pack: Path
    run: Path
    clock: Clock
    sizes: Sizes = FULL
    seed: int = 0
    compiled: bool = False
    batch: float = 1.0
    """Share of each phase's batch: less than 1 where a GPU's memory is too small for the whole."""
    every: int | None = None
    """Steps between lines of figures; None: by time."""

    @property
    def device(self) -> torch.device:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Stage(Protocol):
    """Something that is trained step by step."""

    step: int
    """Steps done, over all runs."""

    def advance(self) -> Mapping[str, Tensor]:
        """One step; returns figures, scalars on any device."""

    def save(self) -> None:
        """Write the checkpoint."""

    def show(self) -> Mapping[str, float]:
        """Write samples; returns figures of held-out pictures."""


def drive(stage: Stage, clock: Clock, figures: Figures) -> bool:
    """Train until the budget is used up, then save and show; True if it was stopped before.

    SIGINT (Ctrl-C) and SIGTERM end it after the step in hand, with a checkpoint and no samples.
    """
    saved = time.monotonic()
    with _Stop() as stop:
        while not stop.asked and clock.goes_on(stage.step):
            figures.add(stage.step + 1, stage.advance())
            if time.monotonic() - saved > _SAVE_SECONDS:
                stage.save()
                saved = time.monotonic()
        figures.flush(stage.step)
        stage.save()
        if not stop.asked:
            # Sizes that come once are not worth trying convolutions out for.
            with torch.backends.cudnn.flags(enabled=True, benchmark=False):
                figures.say(stage.step, stage.show())
        return stop.asked


class _Stop:
    """Remembers a wish to stop. A second one acts at once."""

    def __init__(self) -> None:
        self.asked = False
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}

    def __enter__(self) -> _Stop:
        for number in _SIGNALS:
            signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        self.__exit__()


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main(train: Callable[[Options], bool], description: str | None) -> int:
    """Read a stage's command line and run it. Exit code 130 if it was stopped."""
    options = read_options(sys.argv[1:], description)
    prepare(options.device)
    try:
        stopped = train(options)
    except (OSError, ValueError, RendererError) as error:
        print(error, file=sys.stderr)
        return 1
    if stopped:
        print(f"stopped; the same command goes on from {options.run}", file=sys.stderr)
    return 130 if stopped else 0


def read_options(arguments: list[str], description: str | None) -> Options:
    """A stage's options out of its command line."""
    name = f"python -m {Path(sys.argv[0]).parent.name}.{Path(sys.argv[0]).stem}"
    parser = argparse.ArgumentParser(prog=name, description=description)
    parser.add_argument("pack", type=Path, help="folder that training.pack wrote")
    parser.add_argument("run", type=Path, help="folder of checkpoints, samples and figures")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--minutes", type=float, help="time for this run, saving included")
    budget.add_argument("--until", type=float, help="or: when it ends, in Unix time")
    budget.add_argument("--steps", type=int, help="or: train up to this step")
    parser.add_argument(
        "--part",
        type=_part,
        default=(0.0, 1.0),
        metavar="FROM:TO",
        help="which part of the whole stage this run is, e.g. 0:0.6 and then 0.6:1",
    )
    parser.add_argument("--sizes", choices=sorted(ALL), default=FULL.name)
    parser.add_argument("--batch", type=float, default=1.0, help="share of each batch, e.g. 0.5")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compile", action="store_true", help="let torch compile the models")
    given = parser.parse_args(arguments)
    minutes = given.minutes
    if given.until is not None:
        minutes = max(0.0, given.until - time.time()) / 60
    return Options(
        pack=given.pack,
        run=given.run,
        clock=Clock(minutes=minutes, steps=given.steps, part=given.part),
        sizes=ALL[given.sizes],
        seed=given.seed,
        compiled=given.compile,
        batch=given.batch,
    )


def _part(text: str) -> PROGRESS:
    start, _, end = text.partition(":")
    part = float(start), float(end)
    if not 0 <= part[0] < part[1] <= 1:
        raise argparse.ArgumentTypeError("must be FROM:TO with 0 <= FROM < TO <= 1")
    return part


def follow(optimizer: torch.optim.Optimizer) -> Tensor:
    """A step along the gradients, cut to length 1; returns the length that they had.

    One that is not finite is not followed: a bad step must not cost the whole run.
    """
    values = [value for group in optimizer.param_groups for value in group["params"]]
    length = nn.utils.clip_grad_norm_(values, 1.0)
    if torch.isfinite(length):
        optimizer.step()
    return length


def prepare(device: torch.device) -> None:
    """Choose the fast ways of a GPU: TF32, and convolutions that are tried out."""
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.benchmark_limit = 4  # of the ways to compute a convolution


def quick(device: torch.device) -> torch.autocast:
    """bfloat16 where a GPU computes; nothing on a CPU."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")
