"""What is painted and how borders are joined: one row a setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from renderer.settings import names
from renderer.settings.option import (
    DIFFUSION,
    at_least,
    between,
    finite,
    not_empty,
    one_of,
    setting,
    text_of_at_most,
)

Method = Literal["direct", "sequential"]
Speed = Literal["quality", "balanced", "fast"]

MAX_SEED = 2**63 - 1
LONGEST_PROMPT = 1 << 16
"""Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintingSettings:
    """All of it may change from a keyframe on. ``RenderSettings`` checks it."""

    prompt: str = setting(
        "",
        check=text_of_at_most(LONGEST_PROMPT),
        label="Prompt",
        hint="What to paint, as long as you like. Kept exactly as typed.",
        row=("", 1),
        steerable=True,
        used_by=DIFFUSION,
        provenance=True,
    )
    negative_prompt: str = setting(
        "",
        check=text_of_at_most(LONGEST_PROMPT),
        help="What to keep out of the picture.",
        metavar="TEXT",
        label="Negative",
        hint="What to keep out of the picture.",
        row=("", 2),
        steerable=True,
        used_by=DIFFUSION,
        provenance=True,
    )
    painter: str = setting(
        "texture",
        check=not_empty,
        help="texture (no model), diffusion, or module:factory. By default diffusion where there "
        "is a usable accelerator, else texture.",
        metavar="NAME",
        label="Painter",
        hint="texture needs no model; module:factory is one of your own.",
        choices=("texture", "diffusion"),
        row=("", 3),
        steerable=True,
        new_painter=True,
        slows=True,
        provenance=True,
    )
    model: str = setting(
        "",
        help="Model of the diffusion painter: a preset (see `zoomtui models`), a hub id, which may "
        "end in @revision, a folder, or a checkpoint in one .safetensors file.",
        metavar="ID|FOLDER",
        label="Model",
        hint="Or a hub id (may end in @revision), or a folder.",
        choices=names.models,
        row=("", 3),
        steerable=True,
        new_painter=True,
        used_by=DIFFUSION,
        slows=True,
        provenance=True,
    )
    exemplar: str = setting("", kind="path", new_painter=True, used_by=("texture",))
    """Picture that the texture painter grows from: a path, relative to the project; empty: the
    star field that ships with the package."""
    steps: int = setting(
        25,
        kind="whole",
        check=at_least(1),
        help="Denoising steps a call.",
        metavar="N",
        label="Steps",
        hint="Denoising steps a call; more is slower.",
        choices=("10", "20", "25", "40"),
        row=("", 4),
        steerable=True,
        new_painter=True,
        used_by=DIFFUSION,
        slows=True,
        provenance=True,
    )
    guidance_scale: float = setting(
        7.5,
        kind="number",
        check=finite(lambda scale: scale >= 0, "0 or more"),
        help="Weight of the prompt.",
        metavar="G",
        label="Guidance",
        hint="Weight of the prompt; 0 or more.",
        choices=("1", "5", "7.5", "10"),
        row=("", 4),
        steerable=True,
        new_painter=True,
        used_by=DIFFUSION,
        provenance=True,
    )
    strength: float = setting(
        1.0,
        kind="number",
        check=finite(lambda share: 0 < share <= 1, "above 0 and at most 1"),
        help="How much of the border is noised anew, above 0 and up to 1.",
        metavar="S",
        label="Strength",
        hint="How much of the border is noised anew; above 0, up to 1.",
        choices=("0.9", "0.95", "0.99", "1"),
        row=("painting", 1),
        steerable=True,
        new_painter=True,
        used_by=DIFFUSION,
        slows=True,
        provenance=True,
    )
    scheduler: str = setting(
        "",
        help="Sampler, such as ddim, euler, dpm++ or unipc.",
        metavar="NAME",
        label="Scheduler",
        hint="The sampler; empty: what suits the model.",
        choices=names.schedulers,
        row=("painting", 1),
        steerable=True,
        new_painter=True,
        used_by=DIFFUSION,
        slows=True,
        provenance=True,
    )
    trust_pickled_weights: bool = setting(
        False,
        kind="flag",
        help="Open model files that are no safetensors. They can run any code as you: only for "
        "models whose maker you trust.",
        steerable=True,
        new_painter=True,
        used_by=DIFFUSION,
    )
    loras: tuple[str, ...] = setting(
        (),
        kind="words",
        help="A LoRA (.safetensors) for the model, with a weight such as 0.8; repeatable.",
        metavar="FILE[:WEIGHT]",
        named="--lora",
        label="LoRAs",
        hint="FILE.safetensors or FILE.safetensors:0.8; several with spaces.",
        row=("painting", 5),
        steerable=True,
        new_painter=True,
        used_by=DIFFUSION,
        provenance=True,
    )
    speed: Speed = setting(
        "quality",
        check=one_of(*get_args(Speed)),
        help="What the diffusion painter trades for speed. quality (default): nothing; balanced: "
        "the prompt's weight in the last steps; fast: that, and detail, by fewer steps with a "
        "distilled LoRA, or by steps of which most run only a part of the model.",
        metavar="quality|balanced|fast",
        label="Speed",
        hint="What is traded for speed; quality trades nothing.",
        choices=get_args(Speed),
        row=("", 5),
        steerable=True,
        new_painter=True,
        used_by=DIFFUSION,
        slows=True,
        provenance=True,
    )
    seed: int = setting(
        0,
        kind="whole",
        check=between(0, MAX_SEED),
        help="The root of every random choice.",
        metavar="N",
        label="Seed",
        hint="The same seed gives the same film. Ctrl+R draws another.",
        row=("", 5),
        steerable=True,
    )
    method: Method = setting(
        "direct",
        check=one_of(*get_args(Method)),
        help="All four sides in one call, or one side a call.",
        metavar="direct|sequential",
        label="Method",
        hint="All four sides in one call, or one side a call.",
        choices=get_args(Method),
        row=("painting", 2),
        steerable=True,
        new_painter=True,
        slows=True,
        provenance=True,
    )
    candidates: int = setting(
        1,
        kind="whole",
        check=between(1, 64),
        help="Versions to paint of each border, in one batch where the painter can; the one with "
        "the best seam and drift is kept. The first picture is painted once.",
        metavar="N",
        label="Candidates",
        hint="Versions to paint of each border; the best one is kept.",
        choices=("1", "2", "4", "8"),
        row=("painting", 2),
        steerable=True,
        slows=True,
        provenance=True,
    )
    prompt_blend: int = setting(
        0,
        kind="whole",
        check=between(0, 10_000, " keyframes"),
        help="Keyframes that a new prompt takes to replace the one before; 0 (default): none.",
        metavar="N",
        label="Prompt blend",
        hint="Keyframes that a new prompt takes to replace the last.",
        choices=("0", "2", "4", "8"),
        row=("painting", 4),
        steerable=True,
        used_by=DIFFUSION,
    )

    overmask: int = setting(
        0,
        kind="whole",
        check=between(0, 256, " pixels"),
        help="Let the painter redraw so much of the picture's edge, in whole cells of its latents, "
        "to find a better join; what was there is kept all the same.",
        metavar="PX",
        label="Overmask",
        hint="Pixels of the picture's edge that may be redrawn for a join.",
        choices=("0", "8", "16", "32"),
        row=("joining", 1),
        steerable=True,
        used_by=DIFFUSION,
        provenance=True,
    )
    feather: int = setting(
        48,
        kind="whole",
        check=between(0, 1024, " pixels"),
        help="Border over which what differs at the join fades away; 0: none.",
        metavar="PX",
        label="Feather",
        hint="Pixels of border over which what differs at the join fades away.",
        choices=("16", "32", "48", "64", "96"),
        row=("joining", 1),
        steerable=True,
        used_by=DIFFUSION,
        provenance=True,
    )
    colour_fit: bool = setting(
        True,
        kind="switch",
        help="Undo the painter's change of colours; on by default.",
        label="Colour fit",
        hint="Undo the painter's change of colours.",
        choices=("yes", "no"),
        row=("joining", 2),
        steerable=True,
        used_by=DIFFUSION,
        provenance=True,
    )
    drift_guard: float = setting(
        0.15,
        kind="number",
        check=between(0, 1),
        help="Share by which colours that left the first picture's are pulled back a keyframe; 0: "
        "off.",
        metavar="S",
        label="Drift guard",
        hint="Share by which strayed colours are pulled back; 0: off.",
        choices=("0", "0.1", "0.15", "0.3"),
        row=("joining", 2),
        steerable=True,
        used_by=DIFFUSION,
        provenance=True,
    )
    seam_pass: float = setting(
        0.0,
        kind="number",
        check=between(0, 1, off=True),
        help="Paint a thin band along the join once more, at this strength, such as 0.4; 0 "
        "(default): not. For diffusion.",
        metavar="S",
        label="Seam pass",
        hint="Paint a band along the join again, at this strength; 0: not.",
        choices=("0", "0.2", "0.3", "0.4"),
        row=("joining", 3),
        steerable=True,
        used_by=DIFFUSION,
        slows=True,
        provenance=True,
    )
