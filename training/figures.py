"""What a training run says: a line for people now and then, and the same as JSON lines.

Figures stay on the device until they are said, so saying little costs no waiting.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

_SECONDS = 10.0
"""Between two lines."""


class Figures:
    """Means of named figures since the last line.

    ``file``: gets a JSON object a line, appended. ``every``: steps between lines; None: by time.
    """

    def __init__(self, file: Path, *, every: int | None = None) -> None:
        self._file = file
        self._every = every
        self._sums: dict[str, Tensor] = {}
        self._steps = 0
        self._since = time.monotonic()
        file.parent.mkdir(parents=True, exist_ok=True)

    def add(self, step: int, values: Mapping[str, Tensor]) -> None:
        """Count in what step number ``step`` measured, scalars; and say so if it is time."""
        for name, value in values.items():
            value = value.detach().float()
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._steps += 1
        due = time.monotonic() - self._since >= _SECONDS
        if due if self._every is None else self._steps >= self._every:
            self.flush(step)

    def flush(self, step: int) -> None:
        """Say what was not said yet, if anything."""
        if not self._steps:
            return
        means = {name: float(total) / self._steps for name, total in self._sums.items()}
        now = time.monotonic()
        means["steps_per_second"] = self._steps / max(now - self._since, 1e-9)
        self.say(step, means)
        self._sums, self._steps, self._since = {}, 0, now

    def say(self, step: int, values: Mapping[str, float]) -> None:
        """One line of these, now."""
        rounded = {name: float(f"{value:.5g}") for name, value in values.items()}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **rounded}) + "\n")
        print(f"{step:7d}", *(f"{n} {v:g}" for n, v in rounded.items()), sep="  ", flush=True)
