"""From a model's name to the folder that holds its pipeline: preset, folder, cache, then the hub.

What is on the disk is used without asking the hub, so a film that was begun goes on with the same
weights and needs no network. Knows neither torch nor diffusers.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from huggingface_hub import HfApi, constants, hf_hub_download, is_offline_mode, snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError

from renderer.errors import PainterError
from renderer.painting.painters.diffusion.families import INDEX, read_family, read_parts
from renderer.painting.painters.diffusion.hub_errors import TRANSPORT_ERROR, explain, offline
from renderer.painting.painters.diffusion.weights import choose_weights, small_files
from renderer.painting.painters.models import check_model, find_preset, hub_source

log = logging.getLogger("renderer.painting.diffusion")

PREFLIGHT_SECONDS = 10.0
"""How long one question to the hub may take; the client alone would retry for half a minute."""
_SPARE = 2**28
"""What a download leaves free at least, bytes."""
_WORTH_A_LINE = 10**8


def locate(model: str, *, half: bool) -> Path:
    """The folder of a complete pipeline, downloaded if need be.

    ``model`` is a preset's name or alias, a folder, or a hub id (``owner/name`` or
    ``owner/name@revision``); a preset's name comes first, so write ``./sd2`` for a folder called
    sd2. ``half``: prefer half-precision weights. Raises SettingsError for what is none of these
    and PainterError, with the true cause, if it can't be had or is of the wrong kind.
    """
    check_model(model)
    folder = Path(model).expanduser()
    if find_preset(model) is None and folder.is_dir():
        return folder
    repo, revision = hub_source(model)
    cached = _cached(model, half=half)
    if cached is not None:
        return cached
    if is_offline_mode():
        raise offline(repo)
    try:
        return _download(repo, revision, half=half)
    except (OSError, ValueError, TRANSPORT_ERROR) as error:
        raise explain(error, repo, revision) from error


def file_names(folder: Path) -> list[str]:
    """Relative paths of the files of a pipeline, ``/`` between the parts."""
    return [file.relative_to(folder).as_posix() for file in folder.glob("*/*")]


def _cached(model: str, *, half: bool) -> Path | None:
    """The snapshot in the hub's cache, if it is there and has all its weights.

    A preset's weights are also found where they were once downloaded under another id.
    """
    preset = find_preset(model)
    sources = [hub_source(model)]
    if preset is not None:
        sources += [(alias, "main") for alias in preset.aliases if "/" in alias]
    for repo, revision in sources:
        try:
            folder = Path(
                snapshot_download(
                    repo, revision=revision, local_files_only=True, allow_patterns=[INDEX]
                )
            )
        except LocalEntryNotFoundError:
            continue
        family = read_family(folder / INDEX, repo)
        try:
            choose_weights(file_names(folder), family.models, half=half, where=repo)
        except PainterError as error:
            log.info("%s in the cache can't be used: %s", repo, error)
            continue
        return folder
    return None


def _download(repo: str, revision: str, *, half: bool) -> Path:
    """Fetch just the files that are needed. Raises what the hub client raises, or PainterError."""
    info = HfApi().model_info(
        repo, revision=revision, files_metadata=True, timeout=PREFLIGHT_SECONDS
    )
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    if INDEX not in sizes:
        raise PainterError(f"{repo} is no diffusers pipeline: it has no {INDEX}")
    index = Path(hf_hub_download(repo, INDEX, revision=revision))
    family = read_family(index, repo)
    weights = choose_weights(sizes, family.models, half=half, where=repo)
    wanted = [*small_files(sizes, read_parts(index, family, repo)), *weights.files]
    total = sum(sizes[name] for name in wanted)
    _check_room(repo, total)
    log.info(
        "downloading %s, %s, to %s; this is needed once", repo, _size(total), constants.HF_HUB_CACHE
    )
    folder = index.parent  # named after the commit that the revision stood for just now
    for name in sorted(wanted, key=lambda name: sizes[name]):
        if sizes[name] >= _WORTH_A_LINE:
            log.info("downloading %s of %s, %s", name, repo, _size(sizes[name]))
        hf_hub_download(repo, name, revision=folder.name)
    return folder


def _check_room(repo: str, size: int) -> None:
    cache = Path(constants.HF_HUB_CACHE)
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if free < size + _SPARE:
        raise PainterError(
            f"{repo} takes {_size(size)} and {cache} has {_size(free)} free; free some, or set "
            "HF_HOME to a larger disk"
        )


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
