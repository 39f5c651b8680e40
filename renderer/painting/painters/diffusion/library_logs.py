"""What the libraries are told before they load: to be quiet, to give the same bits each time, and
to keep what they compile.

Their log records are passed on to ``renderer.painting.diffusion``, each text once; their progress
bars are off. Python warnings are left to the process, which may send them to its log.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

log = logging.getLogger("renderer.painting.diffusion")

_ENVIRONMENT = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # MKL's sums depend on where in memory a matrix lies unless it is told that they must not
    # (Intel oneMKL, "Conditional Numerical Reproducibility"); it costs nothing measurable here.
    "MKL_CBWR": "AUTO,STRICT",
}
_VERBOSITY = {
    "diffusers": "DIFFUSERS_VERBOSITY",
    "transformers": "TRANSFORMERS_VERBOSITY",
    "huggingface_hub": "HF_HUB_VERBOSITY",
}
"""Library → the variable by which its user sets how much it logs."""
_IMPORTED = ("torchao", "torch.utils._pytree")
"""They warn of kernels that are not used here, and of what torch deprecates, on being imported."""
_QUIET = "error"
"""Messages below this are for developers, and some of them come with every call."""
_REMEMBERED = 200


class _Relay(logging.Handler):
    """Hands records on to our logger, but not the same text again."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text in self._seen or len(self._seen) >= _REMEMBERED:
            return
        self._seen.add(text)
        log.log(record.levelno, "%s: %s", record.name, " ".join(text.split()))


def prepare_environment() -> None:
    """Set what the libraries read when they are imported, where the user has not set it."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for name in _VERBOSITY.values():
        os.environ.setdefault(name, _QUIET)
    for name in _IMPORTED:
        logging.getLogger(name).setLevel(logging.ERROR)
    if kept := _kept_code():
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", kept)


def _kept_code() -> str | None:
    """Where what is compiled outlives this process, and a restart of the machine.

    Torch's own choice is a folder in /tmp; None: keep to it, since nothing can be written here.
    """
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    folder = Path(caches, "zoomtui", "torchinductor")
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return str(folder) if folder.is_absolute() and os.access(there, os.W_OK) else None


def redirect_logs() -> None:
    """Send the libraries' logs to ours instead of stderr. Once they are imported; may be repeated.

    They add their own stream handler on import, so it is taken off again here.
    """
    for name, variable in _VERBOSITY.items():
        library = logging.getLogger(name)
        if os.environ.get(variable) == _QUIET:
            library.setLevel(logging.ERROR)
        if any(isinstance(handler, _Relay) for handler in library.handlers):
            continue
        for handler in list(library.handlers):
            library.removeHandler(handler)
        library.addHandler(_Relay())
        library.propagate = False
