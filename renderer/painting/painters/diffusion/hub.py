"""From a model's name to the folder that holds its pipeline: preset, folder, cache, then the hub.

What is on the disk is used without asking the hub, so a film that was begun continues with the same
weights and needs no network. Knows neither torch nor diffusers.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from huggingface_hub import HfApi, constants, hf_hub_download, is_offline_mode, snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError

from renderer.errors import PainterError, SettingsError
from renderer.files import is_file, is_folder, user_path
from renderer.formatting import size_text
from renderer.painting.painters.diffusion.download_progress import progress_bar
from renderer.painting.painters.diffusion.families.family import Companion
from renderer.painting.painters.diffusion.families.index import INDEX, read_family, read_parts
from renderer.painting.painters.diffusion.hub_errors import explained, offline
from renderer.painting.painters.diffusion.weights import (
    SMALL,
    MissingWeights,
    choose_weights,
    small_files,
)
from renderer.painting.painters.notices import note
from renderer.settings.lora_names import Lora
from renderer.settings.presets import check_model, find_preset, hub_source, lora_revision

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
    folder = user_path(model)
    preset = find_preset(model)
    if preset is not None and preset.folder is not None:
        return preset.folder
    if preset is None and is_folder(folder):
        return folder

    def choose(index: Path, names: Collection[str], repo: str) -> list[str]:
        family = read_family(index, repo)
        weights = choose_weights(
            names, family.models, half=half, where=repo, trust_pickled=trust_pickled
        )
        return [*small_files(names, read_parts(index, family.options, repo)), *weights.files]

    # A preset's weights are also found where they were once downloaded under another id.
    aliases = [alias for alias in preset.aliases if "/" in alias] if preset else []
    return _obtain([hub_source(model), *((alias, "main") for alias in aliases)], INDEX, choose)


def locate_companion(companion: Companion, *, half: bool, trust_pickled: bool = False) -> Path:
    """The folder of the parts that a published model lacks, downloaded if need be.

    For a companion in one file, that file. The rest as ``locate``.
    """
    if companion.file:
        return locate_file(companion.repo, companion.file)

    def choose(_: Path, names: Collection[str], repo: str) -> list[str]:
        # A model on its own lies at the top; its files are treated as those of a part of that name.
        top = "" if companion.models else f"{companion.part}/"
        weights = choose_weights(
            [top + name for name in names],
            companion.models or (companion.part,),
            half=half,
            where=repo,
            trust_pickled=trust_pickled,
        )
        folders = {name.rpartition("/")[0] for name in names}
        return [*small_files(names, folders), *(name.removeprefix(top) for name in weights.files)]

    index = INDEX if companion.models else "config.json"
    return _obtain([(companion.repo, "main")], index, choose)


def locate_lora(lora: Lora) -> Path:
    """The file of a LoRA, downloaded if need be. Raises SettingsError or PainterError."""
    if lora.on_hub is None:
        file = user_path(lora.source)
        if not is_file(file):
            raise SettingsError(f"lora {lora.source}: there is no such file", "loras")
        return file
    repo, revision, name = lora.on_hub
    return locate_file(repo, name, revision)


def locate_file(repo: str, name: str, revision: str = "") -> Path:
    """A file of a repository, downloaded if need be. Raises PainterError with the true cause.

    Without a revision, at the one that was looked at, or ``main``.
    """
    wanted = revision or lora_revision(repo)
    # What a film was begun with, before its repository was pinned, is used on.
    for each in (wanted, revision or "main"):
        with suppress(LocalEntryNotFoundError):
            return Path(hf_hub_download(repo, name, revision=each, local_files_only=True))
    if is_offline_mode():
        raise offline(repo)
    with explained(repo, wanted):
        sizes = _sizes(repo, wanted)
        if name not in sizes:
            raise PainterError(f"{repo} has no file {name}")
        return _fetch(repo, wanted, {name: sizes[name]})


def cached_index(model: str) -> Path | None:
    """What says of which kind a hub id is, if it is on this disk."""
    repo, revision = hub_source(model)
    with suppress(LocalEntryNotFoundError, OSError, ValueError):  # a cache that can't be read
        return Path(hf_hub_download(repo, INDEX, revision=revision, local_files_only=True))
    return None


def locate_configuration(preset: str) -> Path:
    """A preset's folder with at least its configurations and vocabularies, without its weights.

    Raises PainterError, with the true cause, if it can't be had.
    """
    repo, revision = hub_source(preset)
    with explained(repo, revision):
        index = Path(hf_hub_download(repo, INDEX, revision=revision))
        parts = read_parts(index, read_family(index, repo).options, repo)
        patterns = [f"{part}/*{ending}" for part in parts for ending in SMALL]
        folder = snapshot_download(repo, revision=revision, allow_patterns=[INDEX, *patterns])
    return Path(folder)


def file_names(folder: Path) -> list[str]:
    """Relative paths of the files of a pipeline, ``/`` between the parts."""
    files = (*folder.glob("*"), *folder.glob("*/*"))
    # A link into the cache may lead nowhere.
    return [file.relative_to(folder).as_posix() for file in files if file.is_file()]


Choose = Callable[[Path, Collection[str], str], list[str]]
"""(the file at a repository's top that says what it holds, the names of all its files, the
repository) → names of the files to load; raises MissingWeights where some aren't there."""


def _obtain(sources: Sequence[tuple[str, str]], top: str, choose: Choose) -> Path:
    """The folder of the first (repository, revision) of ``sources`` that is on this disk.

    Where none is, the first of them is downloaded. Raises PainterError with the true cause.
    """
    for repo, revision in sources:
        folder = _cached(repo, revision, top, choose)
        if folder is not None:
            return folder
    repo, revision = sources[0]
    if is_offline_mode():
        raise offline(repo)
    with explained(repo, revision):
        return _download(repo, revision, top, choose)


def _cached(repo: str, revision: str, top: str, choose: Choose) -> Path | None:
    """The snapshot in the hub's cache, if it is there and has all its weights."""
    try:
        found = snapshot_download(
            repo, revision=revision, local_files_only=True, allow_patterns=[top]
        )
    except LocalEntryNotFoundError:
        return None
    folder = Path(found)
    if not (folder / top).is_file():  # some of its files were fetched by something else
        return None
    try:
        choose(folder / top, file_names(folder), repo)
    except MissingWeights as error:
        log.info("%s in the cache can't be used: %s", repo, error)
        return None
    return folder


def _download(repo: str, revision: str, top: str, choose: Choose) -> Path:
    """Fetch just the files that are needed. Raises what the hub client raises, or PainterError."""
    sizes = _sizes(repo, revision)
    if top not in sizes:
        raise PainterError(f"{repo} is no diffusers pipeline: it has no {top}")
    first = Path(hf_hub_download(repo, top, revision=revision))
    folder = first.parent  # named after the commit that the revision stood for just now
    wanted = choose(first, sizes, repo)
    _fetch(repo, folder.name, {name: sizes[name] for name in wanted})
    return folder


def _sizes(repo: str, revision: str) -> dict[str, int]:
    """Names of all files in the repository, and their bytes. Raises what the hub client raises."""
    info = HfApi().model_info(
        repo, revision=revision, files_metadata=True, timeout=PREFLIGHT_SECONDS
    )
    return {file.rfilename: file.size or 0 for file in info.siblings or ()}


def _fetch(repo: str, revision: str, sizes: Mapping[str, int]) -> Path:
    """Download these files, their sizes in bytes, into the cache; the path of the largest.

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
