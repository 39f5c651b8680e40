"""`models` and `doctor`: what there is to paint with, and what this machine can do."""

from __future__ import annotations

from pathlib import Path

import click

from renderer.formatting import clean
from zoomtui.cli.open_tui import Look, on_terminal, terminal_for
from zoomtui.cli.verb import verb
from zoomtui.stdio import answer

_WIDTH = 100
"""Columns that a finding may take."""


@verb(
    "List the models that ship as presets.",
    "models",
    'render "a coral reef" --model sdxl',
    'render "a coral reef" --model ./folder-with-model_index.json',
)
def models() -> None:
    """List the models that ship as presets; others of the same kinds work as well."""
    from renderer.painting.painters.accelerator import accelerator
    from renderer.settings.presets import DEFAULT, EXPERIMENTAL, PRESETS
    from renderer.settings.speed_levels import LEVELS

    gpu = accelerator()
    if gpu is None:
        answer("No GPU here. cosmos paints in seconds a keyframe without one, sd15 and sd2 in")
        answer("minutes; --painter texture needs no model, but a picture to grow from.")
    else:
        answer(f"{clean(gpu)}: each of these, as far as its memory goes.")
    answer("")
    for preset in sorted(PRESETS, key=lambda each: gpu is None and not each.on_cpu):
        default = "  (default)" if gpu and preset.name == DEFAULT else ""
        answer(f"{preset.name}{default}")
        answer(f"  {preset.note}")
        answer(f"  {preset.repo or 'part of this package'}")
        answer(f"  licence {preset.licence}")
        if preset.gated:
            answer("  gated: accept the licence on its page at huggingface.co, then run")
            answer("  `hf auth login`")
        size = "weights" if preset.folder else "download"
        answer(f"  {size} {preset.weights}, VRAM {preset.vram}")
        answer(
            f"  native {preset.native} px, canvas up to {preset.canvas} px, in multiples of "
            f"{preset.multiple}"
        )
        if preset.few_steps:
            answer(f"  --speed fast: {preset.few_steps.steps} steps with a distilled LoRA")
        elif preset.unet and LEVELS["fast"].whole_every(preset.steps) > 1:
            answer("  --speed fast: its UNet's inner blocks at one step in three only")
        if preset.experimental:
            answer(f"  {EXPERIMENTAL}")
    answer("")
    answer("Only cosmos has been run with its real weights so far; the others are tested by")
    answer("tiny models of their kind, and their figures are their makers' or computed.")


@verb(
    "Say what this machine can do.",
    "doctor",
    "doctor --bench",
    "doctor --bench sdxl",
)
@click.option(
    "--bench",
    metavar="[MODEL]",
    is_flag=False,
    flag_value="",
    help="Measure instead how fast a model paints here, beside diffusers' own call of it: a table "
    "in Markdown, after about two minutes.",
)
@click.pass_obj
def doctor(look: Look, bench: str | None) -> None:
    """Say what this machine can do: Python, torch, device, encoders, disk, and the default.

    On a terminal, also what was found out about it, and how pictures and messages will be shown.
    """
    from renderer.planning.doctor import examine
    from zoomtui.terminal.notices import notice_kind

    if bench is not None:
        from zoomtui.cli.warm import measure

        measure({"model": bench or None}, whole=True)
        return
    if on_terminal():
        terminal = terminal_for(look)
        for reason in (*terminal.why, notice_kind(terminal)[2]):
            _say(True, "terminal", reason)
    for finding in examine(Path.cwd()):
        _say(finding.ok, finding.name, finding.text)


def _say(ok: bool, name: str, text: str) -> None:
    line = f"{'ok' if ok else '--'}  {name:<14} {clean(text)}"
    answer(line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…")
