"""How a LoRA is named on the command line: ``FILE[:WEIGHT]``. Light: opens no file.

``diffusion/lora.py`` reads the file and puts it into a model.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from renderer.errors import SettingsError
from renderer.files import full_path, is_file, user_path

MOST = 4.0
"""A LoRA's weight is at most this, either way; beyond, pictures are noise."""
_WEIGHTED = re.compile(r"(?P<source>.+\.safetensors):(?P<weight>[^/]*)")
_ON_HUB = re.compile(
    r"(?!\.\.?/)(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w.-]+))?/(?P<file>[\w./-]+\.safetensors)"
)


@dataclass(frozen=True, slots=True)
class Lora:
    """A file of low-rank changes to a model's weights."""

    source: str
    """A path, or ``owner/name[@revision]/file.safetensors`` on the hub."""
    weight: float = 1.0

    @property
    def on_hub(self) -> tuple[str, str, str] | None:
        """(repository, revision or nothing, file), if it is to be fetched; None: it is a path."""
        match = _ON_HUB.fullmatch(self.source)
        if match is None or is_file(Path(self.source)):
            return None
        return match["repo"], match["revision"] or "", match["file"]


def parse_lora(text: str) -> Lora:
    """``style.safetensors:0.8`` → Lora. Raises SettingsError for what can't be one."""
    match = _WEIGHTED.fullmatch(text)
    source, number = (match["source"], match["weight"]) if match else (text, "1")
    try:
        weight = float(number)
    except ValueError:
        raise SettingsError(
            f"lora {text}: {number} is no weight; write FILE:0.8", "loras"
        ) from None
    if not math.isfinite(weight) or abs(weight) > MOST:
        raise SettingsError(f"lora {text}: its weight must be -{MOST:g} to {MOST:g}", "loras")
    if not source.endswith(".safetensors"):
        raise SettingsError(
            f"lora {source} is no .safetensors file; other formats may run code when opened",
            "loras",
        )
    return Lora(source, weight)


def check_lora(text: str) -> None:
    """Raise SettingsError unless it is a file that exists, or one to be fetched from the hub."""
    lora = parse_lora(text)
    if lora.on_hub is None and not is_file(user_path(lora.source)):
        raise SettingsError(f"lora {lora.source}: there is no such file", "loras")


def resolved(text: str) -> str:
    """``text`` with an absolute path, so that a project can be resumed from elsewhere."""
    lora = parse_lora(text)
    if lora.on_hub is not None:
        return text
    return f"{full_path(lora.source)}:{lora.weight:g}"
