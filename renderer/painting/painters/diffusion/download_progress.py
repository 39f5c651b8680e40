"""How far a download is, as lines for the user rather than bars on a terminal."""

from __future__ import annotations

import time
from typing import Any

from huggingface_hub.utils.tqdm import tqdm

from renderer.formatting import age_text, size_text
from renderer.painting.painters.notices import note

_WORTH_LINES = 10**7
"""Downloads of fewer bytes are over before a line is read."""
_LINES = 10


class _Meter:
    """Bytes of one download, over all its files."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._fetched = 0
        self._said = 0
        self._began = time.monotonic()

    def skip(self, count: int) -> None:
        """So many bytes are there from an earlier try."""
        self._done += count

    def add(self, count: int) -> None:
        """So many bytes have come; notes a line for each tenth of the whole."""
        self._done += count
        self._fetched += count
        tenth = self._done * _LINES // max(self._total, 1)
        if self._total < _WORTH_LINES or not self._said < tenth < _LINES:
            return
        self._said = tenth
        whole = size_text(self._total)
        rate = self._fetched / max(time.monotonic() - self._began, 1e-3)
        left = (self._total - self._done) / max(rate, 1)
        note(
            f"downloading {self._what}: {self._done / self._total:.0%} of {whole}, "
            f"{size_text(rate)}/s, about {age_text(left)} left"
        )


def progress_bar(what: str, total: int) -> type[tqdm]:
    """A class of bars for the hub client that draw nothing and add up to one download.

    ``what``: for people; ``total``: bytes.
    """
    meter = _Meter(what, total)

    class Bar(tqdm):
        def __init__(self, *args: Any, **named: Any) -> None:
            named["disable"] = True
            meter.skip(int(named.get("initial") or 0))
            super().__init__(*args, **named)  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            meter.add(int(n or 0))

    return Bar
