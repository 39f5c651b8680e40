"""How busy the machine is: GPU, memory, processor, disk. What can't be read is None.

Light enough to be asked every second. Never raises: a meter is no reason to end a render.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pynvml

from renderer.files import free_bytes

Value = float | str | None
V = TypeVar("V")


class Metrics:
    """Made once; ``read`` gives the values by name (percent, bytes, degrees Celsius, watts)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = psutil.Process()
        self._gpu = _first_gpu()
        self._process.cpu_percent()  # each answer counts from the call before it: this is the first
        psutil.cpu_percent()

    def read_briefly(self) -> dict[str, float | None]:
        """What is recorded with every keyframe."""
        gpu = self._gpu
        return {
            "gpu_percent": _ask(lambda: float(pynvml.nvmlDeviceGetUtilizationRates(gpu).gpu)),
            "vram_used": _ask(lambda: float(pynvml.nvmlDeviceGetMemoryInfo(gpu).used)),
            "disk_free": free_bytes(self._folder),
        }

    def read(self) -> dict[str, Value]:
        memory = psutil.virtual_memory()
        return {
            **self.read_briefly(),
            **self._read_gpu(),
            "cpu_percent": psutil.cpu_percent(),
            "engine_cpu_percent": self._process.cpu_percent(),
            "engine_memory": float(self._process.memory_info().rss),
            "memory_used": float(memory.total - memory.available),
            "memory_total": float(memory.total),
        }

    def _read_gpu(self) -> dict[str, Value]:
        gpu = self._gpu
        return {
            "gpu_name": _ask(lambda: str(pynvml.nvmlDeviceGetName(gpu))),
            "vram_total": _ask(lambda: float(pynvml.nvmlDeviceGetMemoryInfo(gpu).total)),
            "gpu_celsius": _ask(
                lambda: float(pynvml.nvmlDeviceGetTemperature(gpu, pynvml.NVML_TEMPERATURE_GPU))
            ),
            "gpu_watts": _ask(lambda: pynvml.nvmlDeviceGetPowerUsage(gpu) / 1000),
        }


def gpu_loads() -> tuple[float, ...]:
    """How busy each GPU of this machine is, percent, as nvidia-smi numbers them; empty: there is
    none that tells."""
    loads = []
    with contextlib.suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        for number in range(pynvml.nvmlDeviceGetCount()):
            gpu = pynvml.nvmlDeviceGetHandleByIndex(number)
            loads.append(float(pynvml.nvmlDeviceGetUtilizationRates(gpu).gpu))
    return tuple(loads)


def visible_gpus() -> dict[int, str]:
    """The GPUs that this process may use, in CUDA's order: as nvidia-smi numbers them → by which
    word of CUDA_VISIBLE_DEVICES an engine sees that one alone.

    A word is a number or the beginning of a UUID, and none counts after one that names no GPU (CUDA
    C++ Programming Guide, environment variables).
    """
    words, found = os.environ.get("CUDA_VISIBLE_DEVICES"), {}
    with contextlib.suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        there = range(pynvml.nvmlDeviceGetCount())
        for word in map(str, there) if words is None else words.replace(" ", "").split(","):
            number = next((each for each in there if _names(word, each)), None)
            if number is None:
                break
            found[number] = word
    return found


def _names(word: str, number: int) -> bool:
    if word.startswith("MIG-"):  # a slice of it
        mig = pynvml.nvmlDeviceGetHandleByUUID(word)
        gpu = pynvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(mig)
        return bool(pynvml.nvmlDeviceGetIndex(gpu) == number)
    if not word.startswith("GPU-"):
        return word == str(number)
    gpu = pynvml.nvmlDeviceGetHandleByIndex(number)
    return str(pynvml.nvmlDeviceGetUUID(gpu)).startswith(word)


def _first_gpu() -> Any:
    """NVML's handle of the GPU that an engine here paints on; None: there is none."""
    number = next(iter(visible_gpus()), None)
    return None if number is None else _ask(lambda: pynvml.nvmlDeviceGetHandleByIndex(number))


def _ask(question: Callable[[], V]) -> V | None:
    """One value; in a container, or on a slice of a shared card, any may be refused."""
    with contextlib.suppress(pynvml.NVMLError, TypeError, AttributeError):
        return question()
    return None
