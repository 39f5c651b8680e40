"""Which files of a pipeline's folder are its weights. Works on names, local or on the hub alike.

Only safetensors, unless the user insists: the other formats are pickles, which may run code when
they are opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from renderer.errors import PainterError
from renderer.painting.painters.diffusion.hub_errors import one_line

_WEIGHTS = re.compile(
    r"(?P<part>[^/]+)/(?:diffusion_pytorch_model|model)(?P<half>\.fp16)?"
    r"(?:-(?P<shard>\d+)-of-(?P<shards>\d+))?(?P<half_too>\.fp16)?\.safetensors"
)
_PLAIN_PICKLED = re.compile(r"(?P<part>[^/]+)/(?:diffusion_pytorch_model|pytorch_model)\.bin")
_PICKLED = re.compile(r"(?P<part>[^/]+)/[^/]+\.(bin|ckpt|pt|pth)")
SMALL = (".json", ".txt", ".model", ".jinja")
"""Endings of configurations, vocabularies and the frames that chat models want around a prompt."""


class MissingWeights(PainterError):
    """A pipeline lacks weights that may be opened, at least here."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The weight files to load."""

    variant: str | None
    """``fp16`` if some part is loaded from half-precision files: diffusers' ``variant``."""
    files: tuple[str, ...]
    """Relative paths, ``/`` between the parts."""
    pickled: bool = False
    """Some of them are pickles."""


def choose_weights(
    names: Iterable[str],
    parts: Sequence[str],
    *,
    half: bool,
    where: str,
    trust_pickled: bool = False,
) -> Weights:
    """Pick each part's weights among the file names of a pipeline.

    ``half``: half-precision files first (they are half the size and lose nothing on a GPU), else
    full-precision ones; the other kind where a part has only that. ``where`` names the pipeline in
    messages. ``trust_pickled``: a part without safetensors may be loaded from one plain pickled
    file, and then all parts are loaded in full precision. Raises MissingWeights if a part has no
    complete set of files that may be opened.
    """
    names = set(names)
    found = [_files_of(part, names) for part in parts]
    if trust_pickled and not all(found):
        # diffusers would take a variant for all: pickled files beside full-precision ones only.
        plain = {match[1]: name for name in names if (match := _PLAIN_PICKLED.fullmatch(name))}
        fallen = [
            kinds or {"": [plain[part]]} if part in plain else kinds
            for part, kinds in zip(parts, found, strict=True)
        ]
        if all("" in kinds for kinds in fallen):
            return Weights(
                None, tuple(name for kinds in fallen for name in kinds[""]), pickled=True
            )
    for part, kinds in zip(parts, found, strict=True):
        if not kinds:
            raise MissingWeights(_missing(part, names, where))
    order = ("fp16", "") if half else ("", "fp16")
    chosen = [next(kind for kind in order if kind in kinds) for kinds in found]
    # diffusers takes one variant for all, and the plain files only of parts that lack it.
    if "fp16" in chosen:
        chosen = ["fp16" if "fp16" in kinds else "" for kinds in found]
    files = [name for kind, kinds in zip(chosen, found, strict=True) for name in kinds[kind]]
    return Weights("fp16" if "fp16" in chosen else None, tuple(files))


def small_files(names: Iterable[str], parts: Iterable[str]) -> list[str]:
    """Configurations and vocabularies of the named sub-folders, and the files at the top."""
    folders = set(parts)
    return [
        name
        for name in names
        if name.endswith(SMALL) and ("/" not in name or name.rpartition("/")[0] in folders)
    ]


def check_weights(folder: Path, weights: Weights) -> None:
    """Open every weight file's header: PainterError names the one that is cut short or damaged.

    Costs milliseconds: safetensors compares the header with the file's length, reading no data.
    """
    for name in weights.files:
        if _PICKLED.fullmatch(name):
            continue
        try:
            with safe_open(folder / name, framework="numpy"):
                pass
        except (SafetensorError, OSError) as error:
            raise PainterError(
                f"{folder / name} is damaged ({one_line(error)}); "
                "delete it and download or save the model again"
            ) from error


def _files_of(part: str, names: set[str]) -> dict[str, list[str]]:
    """Complete sets of weight files of one part: ``""`` full precision, ``"fp16"`` half."""
    kinds: dict[str, list[str]] = {}
    shards: dict[str, int] = {}
    for name in sorted(names):
        match = _WEIGHTS.fullmatch(name)
        if match is None or match["part"] != part:
            continue
        kind = "fp16" if match["half"] or match["half_too"] else ""
        kinds.setdefault(kind, []).append(name)
        shards[kind] = int(match["shards"] or 1)
    return {kind: files for kind, files in kinds.items() if len(files) >= shards[kind]}


def _missing(part: str, names: set[str], where: str) -> str:
    pickled = [name for name in names if (m := _PICKLED.fullmatch(name)) and m["part"] == part]
    if pickled:
        return (
            f"{where} has only pickled weights for its {part} ({sorted(pickled)[0]}), which are "
            "not opened because they may run code; convert the model to safetensors, or give "
            "--trust-pickled-weights if you trust who made it"
        )
    return f"{where} is incomplete: no safetensors weights for its {part}"
