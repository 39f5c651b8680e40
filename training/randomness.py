"""Generators that are derived, never carried on: a step's randomness follows from its number.

So a run that was stopped and goes on draws what the run in one go would have drawn.
"""

from __future__ import annotations

import hashlib

import torch


def generator(device: torch.device, seed: int, *names: str | int) -> torch.Generator:
    """A generator on ``device`` for one purpose: the same for the same seed and names."""
    text = "/".join(map(str, (seed, *names))).encode("ascii")
    number = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1
    return torch.Generator(device).manual_seed(number)
