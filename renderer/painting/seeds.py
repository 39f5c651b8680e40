"""The seed of every paint call, derived from what the call is for and from nothing else."""

from __future__ import annotations

import hashlib


def derive_seed(seed: int, *call: int | str) -> int:
    """The seed of one paint call, 0 … 2**63 - 1: BLAKE2b of its numbers, top bit dropped.

    ``call``: the keyframe, the side, and what tells the calls for one side apart: nothing for the
    first version of a border, n for version n, ``"seam"`` for the pass over its seam. Part of what
    a project means: the same on every machine and in every version.
    """
    text = "/".join(map(str, (seed, *call)))
    digest = hashlib.blake2b(text.encode("ascii"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def varied_seed(seed: int, keyframe: int, variation: int) -> int:
    """What stands for the film's ``seed`` in another variation of ``keyframe``; 0: itself."""
    return derive_seed(seed, keyframe, 0, "variation", variation) if variation else seed


def version_seed(seed: int, keyframe: int, side: int, version: int) -> int:
    """The seed of version 0, 1, 2 … of a border."""
    return derive_seed(seed, keyframe, side, *([version] if version else []))
