"""From a model's name to the folder that holds its pipeline: preset, folder, cache, then the hub.

What is on the disk is used without asking the hub, so a film that was begun goes on with the same
weights and needs no network. Knows neither torch nor diffusers.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

from huggingface_hub import HfApi, constants, hf_hub_download, is_offline_mode, snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError

from renderer.errors import PainterError, SettingsError
from renderer.painting.painters.diffusion.families import INDEX, read_family, read_parts
from renderer.painting.painters.diffusion.hub_errors import TRANSPORT_ERROR, explain, offline
from renderer.painting.painters.diffusion.progress import progress_bar, size_text
from renderer.painting.painters.diffusion.weights import SMALL, choose_weights, small_files
from renderer.painting.painters.loras import Lora
from renderer.painting.painters.models import check_model, find_preset, hub_source
from renderer.painting.painters.notes import note

log = logging.getLogger("renderer.painting.diffusion")

PREFLIGHT_SECONDS = 10.0
"""How long one question to the hub may take; the client alone would retry for half a minute."""
_SPARE = 2**28
"""What a download leaves free at least, bytes."""


def locate(model: str, *, half: bool, trust_pickled: bool = False) -> Path:
    """The folder of a complete pipeline, downloaded if need be.

    ``model`` is a preset's name or alias, a folder, or a hub id (``owner/name`` or
    ``owner/name@revision``); a preset's name comes first, so write ``./sd2`` for a folder called
    sd2. ``half``: prefer half-precision weights. ``trust_pickled``: see ``choose_weights``. Raises
    SettingsError for what is none of these and PainterError, with the true cause, if it can't be
    had or is of the wrong kind.
    """
    check_model(model)
    folder = Path(model).expanduser()
    if find_preset(model) is None and folder.is_dir():
        return folder
    repo, revision = hub_source(model)
    cached = _cached(model, half=half, trust_pickled=trust_pickled)
    if cached is not None:
        return cached
    if is_offline_mode():
        raise offline(repo)
    try:
        return _download(repo, revision, half=half, trust_pickled=trust_pickled)
    except (OSError, ValueError, TRANSPORT_ERROR) as error:
        raise explain(error, repo, revision) from error


def locate_lora(lora: Lora) -> Path:
    """The file of a LoRA, downloaded if need be. Raises SettingsError or PainterError."""
    if lora.on_hub is None:
        file = Path(lora.source).expanduser()
        if not file.is_file():
            raise SettingsError(f"lora {lora.source}: there is no such file")
        return file
    repo, name = lora.on_hub
    try:
        return Path(hf_hub_download(repo, name, local_files_only=True))
    except LocalEntryNotFoundError:
        if is_offline_mode():
            raise offline(repo) from None
    try:
        info = HfApi().model_info(
            repo, revision="main", files_metadata=True, timeout=PREFLIGHT_SECONDS
        )
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
        if name not in sizes:
            raise PainterError(f"{repo} has no file {name}")
        return _fetch(repo, "main", {name: sizes[name]})
    except (OSError, ValueError, TRANSPORT_ERROR) as error:
        raise explain(error, repo, "main") from error


def locate_configuration(preset: str) -> Path:
    """A preset's folder with at least its configurations and vocabularies, without its weights.

    Raises PainterError, with the true cause, if it can't be had.
    """
    repo, revision = hub_source(preset)
    try:
        index = Path(hf_hub_download(repo, INDEX, revision=revision))
        parts = read_parts(index, read_family(index, repo), repo)
        patterns = [f"{part}/*{ending}" for part in parts for ending in SMALL]
        folder = snapshot_download(repo, revision=revision, allow_patterns=[INDEX, *patterns])
    except (OSError, ValueError, TRANSPORT_ERROR) as error:
        raise explain(error, repo, revision) from error
    return Path(folder)


def file_names(folder: Path) -> list[str]:
    """Relative paths of the files of a pipeline, ``/`` between the parts."""
    return [file.relative_to(folder).as_posix() for file in folder.glob("*/*")]


def _cached(model: str, *, half: bool, trust_pickled: bool) -> Path | None:
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
            choose_weights(
                file_names(folder),
                family.models,
                half=half,
                where=repo,
                trust_pickled=trust_pickled,
            )
        except PainterError as error:
            log.info("%s in the cache can't be used: %s", repo, error)
            continue
        return folder
    return None


def _download(repo: str, revision: str, *, half: bool, trust_pickled: bool) -> Path:
    """Fetch just the files that are needed. Raises what the hub client raises, or PainterError."""
    info = HfApi().model_info(
        repo, revision=revision, files_metadata=True, timeout=PREFLIGHT_SECONDS
    )
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    if INDEX not in sizes:
        raise PainterError(f"{repo} is no diffusers pipeline: it has no {INDEX}")
    index = Path(hf_hub_download(repo, INDEX, revision=revision))
    family = read_family(index, repo)
    weights = choose_weights(
        sizes, family.models, half=half, where=repo, trust_pickled=trust_pickled
    )
    wanted = [*small_files(sizes, read_parts(index, family, repo)), *weights.files]
    folder = index.parent  # named after the commit that the revision stood for just now
    _fetch(repo, folder.name, {name: sizes[name] for name in wanted})
    return folder


def _fetch(repo: str, revision: str, sizes: Mapping[str, int]) -> Path:
    """Download these files, their sizes in bytes, into the cache; the path of the last and largest.

    What an earlier try has left of a file is kept and completed.
    """
    total = sum(sizes.values())
    _check_room(repo, total)
    note(f"downloading {repo}, {size_text(total)}, to {constants.HF_HUB_CACHE}; needed only once")
    bar = progress_bar(repo, total)
    file = ""
    for name in sorted(sizes, key=lambda name: sizes[name]):
        file = hf_hub_download(repo, name, revision=revision, tqdm_class=bar)
    return Path(file)


def _check_room(repo: str, size: int) -> None:
    cache = Path(constants.HF_HUB_CACHE)
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if free < size + _SPARE:
        raise PainterError(
            f"{repo} takes {size_text(size)} and {cache} has {size_text(free)} free; free some, or "
            "set HF_HOME to a larger disk"
        )
