"""`models` and `doctor`: what there is to paint with, and what this machine can do."""

from __future__ import annotations

from pathlib import Path

import click

from zoomtui.output import write_line
from zoomtui.words import clean

_WIDTH = 100
"""Columns that a finding may take."""


@click.command(
    short_help="List the models that ship as presets.",
    epilog="""\b
Examples:
  zoomtui models
  zoomtui render "a coral reef" --model sdxl
  zoomtui render "a coral reef" --model ./folder-with-model_index.json
""",
)
def models() -> None:
    """List the models that ship as presets; other diffusers inpainting models work as well."""
    from renderer.painting.painters.models import DEFAULT, PRESETS

    for preset in PRESETS:
        default = "  (default)" if preset.name == DEFAULT else ""
        write_line(f"{preset.name}{default}")
        write_line(f"  {preset.note}")
        write_line(f"  {preset.repo}, licence {preset.licence}")
        write_line(
            f"  download {preset.weights}, VRAM {preset.vram}, native {preset.native} px, "
            f"canvas up to {preset.canvas} px"
        )


@click.command(
    short_help="Say what this machine can do.",
    epilog="""\b
Examples:
  zoomtui doctor
""",
)
def doctor() -> None:
    """Say what this machine can do: Python, torch, device, encoders, disk, and the default."""
    from renderer.engine.doctor import examine

    for finding in examine(Path.cwd()):
        mark = "ok" if finding.ok else "--"
        line = f"{mark}  {finding.name:<14} {clean(finding.text)}"
        write_line(line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…")
