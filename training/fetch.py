"""Get the packages that the training pictures come from: ``python -m training.fetch FOLDER``.

Each Debian package is downloaded by apt, from wherever this machine gets its packages, and
unpacked into ``FOLDER/PACKAGE``; nothing is installed and no rights are needed. What is there
already is kept.
Knows packages, not pictures.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from renderer.errors import RendererError, SettingsError
from renderer.files import storage_errors
from renderer.formatting import size_text
from training.pictures.catalogue import packages

log = logging.getLogger("training")


def fetch(folder: Path, names: Sequence[str]) -> None:
    """Unpack the packages ``names`` below ``folder``. Raises SettingsError, StorageError."""
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (folder / name).is_dir():
            log.info("%s: is there already", name)
            continue
        with storage_errors(folder), tempfile.TemporaryDirectory(dir=folder) as beside:
            archive = _download(name, Path(beside))
            unpack(archive, Path(beside) / "files")
            (Path(beside) / "files").rename(folder / name)
            log.info("%s: %s, unpacked", archive.name, size_text(archive.stat().st_size))


def _download(name: str, folder: Path) -> Path:
    """The package's archive, in ``folder``."""
    by_hand = f"or unpack the package {name} by hand, into a folder of that name"
    _run("apt-get", "download", name, folder=folder, advice=f"try `apt-get update`, {by_hand}")
    archives = list(folder.glob("*.deb"))
    if len(archives) != 1:
        raise SettingsError(f"apt-get downloaded no archive of {name}: {by_hand[3:]}")
    return archives[0]


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a Debian archive into a new folder. Raises SettingsError."""
    advice = "the download may be torn; try again"
    _run("dpkg-deb", "--extract", str(archive), str(folder), folder=archive.parent, advice=advice)


def _run(program: str, *arguments: str, folder: Path, advice: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise SettingsError(
            f"{program} isn't here: fetching needs Debian, or a relative of it; elsewhere unpack "
            f"the packages {', '.join(packages())} by hand, each into a folder of its name"
        )
    done = subprocess.run(
        [path, *arguments],
        cwd=folder,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise SettingsError(f"{program} {' '.join(arguments[:2])}: {said[-1]}; {advice}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; the exit status that ``renderer.errors`` documents."""
    parser = argparse.ArgumentParser(prog="python -m training.fetch", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", type=Path, help="where the packages are unpacked")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        fetch(options.folder, packages())
    except RendererError as error:
        log.error("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
