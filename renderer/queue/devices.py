"""What engines are given to paint on: one GPU each, or a share of the processor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from renderer.errors import SettingsError
from renderer.project.records import read_settings
from renderer.queue.runs import LocalRun, at_work
from renderer.service.launch import launched
from renderer.service.metrics import visible_gpus


@dataclass(frozen=True, slots=True)
class Device:
    """One engine at a time paints on it."""

    name: str
    """``GPU 3``, ``CPU 1``."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """By which an engine sees nothing else."""
    there: bool = True

    def begin(self, folder: Path) -> LocalRun:
        """Render the project at ``folder``. Raises RendererError where that can't be begun."""
        read_settings(folder)  # where it is gone, this says so best
        return LocalRun(folder, launched(folder, **self.environment))

    def find(self, folder: Path) -> LocalRun | None:
        """The render that an earlier process has begun here."""
        parent = at_work(folder)
        return LocalRun(folder, parent) if parent else None


def devices(text: str) -> list[Device]:
    """``0,2,3`` (as nvidia-smi numbers them), ``all``, or ``cpu:2``; empty: all, or one CPU.

    Raises SettingsError for GPUs that are not there.
    """
    there = visible_gpus()
    if text in ("", "all") and (there or text):
        if not there:
            raise SettingsError("there is no NVIDIA GPU here; cpu:1 paints on the processor")
        return [_gpu(*each) for each in there.items()]
    if found := re.fullmatch(r"(?:cpu(?::([1-9]\d{0,2}))?)?", text):
        hidden = {"CUDA_VISIBLE_DEVICES": ""}
        return [Device(f"CPU {number + 1}", hidden) for number in range(int(found[1] or 1))]
    if not re.fullmatch(r"\d{1,4}(,\d{1,4})*", text):
        raise SettingsError(f"{text!r} names no GPUs: say 0,1,2 or all, or cpu:2")
    wanted = list(dict.fromkeys(map(int, text.split(","))))
    if missing := [number for number in wanted if number not in there]:
        numbers = f"those here are {', '.join(map(str, there))}" if there else "none is here"
        raise SettingsError(f"GPU {missing[0]} does not exist: {numbers}")
    return [_gpu(number, there[number]) for number in wanted]


def _gpu(number: int, word: str) -> Device:
    # CUDA's own order is by speed; NVML's, and so nvidia-smi's, by the bus.
    order = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": word}
    return Device(f"GPU {number}", order)
