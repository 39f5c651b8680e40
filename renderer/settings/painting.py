"""What is painted and how borders are joined: one row a setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from renderer.settings import names
from renderer.settings.focus import AUTO, point_or_auto
from renderer.settings.option import (
    DIFFUSION,
    at_least,
    between,
    finite,
    not_empty,
    setting,
    text_of_at_most,
)

Method = Literal["direct", "sequential", "refine"]
Speed = Literal["quality", "balanced", "fast"]
Device = Literal["auto", "gpu", "cpu"]
Quantise = Literal["auto", "yes", "no"]

MAX_SEED = 2**63 - 1
LONGEST_PROMPT = 1 << 16
"""Bytes."""
_OF_DIFFUSION: dict[str, Any] = {"steerable": True, "used_by": DIFFUSION, "provenance": True}
_OF_THE_MODEL = {**_OF_DIFFUSION, "new_painter": True}
_OF_ANY_PAINTER: dict[str, Any] = dict.fromkeys(
    ("steerable", "new_painter", "slows", "provenance"), True
)
"""What most rows have in common."""


@dataclass(frozen=True, slots=True, kw_only=True, init=False, repr=False, eq=False)
class PaintingSettings:
    """All but the exemplar may change from a keyframe on. ``RenderSettings`` checks them."""

    prompt: str = setting(
        "",
        check=text_of_at_most(LONGEST_PROMPT),
        hint="What to paint, up to 65,536 bytes. Kept exactly as typed.",
        row=("", 1),
        needed_by=DIFFUSION,
        **_OF_DIFFUSION,
    )
    negative_prompt: str = setting(
        "",
        check=text_of_at_most(LONGEST_PROMPT),
        help="What to keep out of the picture.",
        metavar="TEXT",
        label="Negative",
        row=("", 2),
        **_OF_DIFFUSION,
    )
    painter: str = setting(
        "texture",
        check=not_empty,
        help="What paints: texture (needs no model), diffusion, or module:factory, one of your "
        "own. By default diffusion with a GPU, a --model, or a prompt about the sky (by cosmos); "
        "texture without a prompt; else you are asked, or have to say.",
        metavar="NAME",
        hint="texture needs no model; module:factory is one of your own.",
        choices=("texture", "diffusion"),
        row=("", 3),
        **_OF_ANY_PAINTER,
    )
    model: str = setting(
        "",
        help="Model of the diffusion painter: a preset (see `zoomtui models`), an id on the "
        "Hugging Face hub (may end in @revision), a folder, or a checkpoint in one .safetensors "
        "file.",
        metavar="ID|FOLDER",
        hint="A preset, a hub id (may end in @revision), or a folder.",
        choices=names.models,
        row=("", 3),
        slows=True,
        **_OF_THE_MODEL,
    )
    exemplar: str = setting("", kind="path", new_painter=True, used_by=("texture",))
    """Picture that the texture painter grows from: a path, relative to the project; empty: the
    star field that ships with the package."""
    steps: int = setting(
        25,
        check=at_least(1),
        help="Denoising steps per call of the painter; more are slower.",
        choices=("10", "20", "25", "40"),
        row=("", 4),
        slows=True,
        **_OF_THE_MODEL,
    )
    guidance_scale: float = setting(
        7.5,
        check=finite(lambda scale: scale >= 0, "0 or more"),
        help="Weight of the prompt: with a higher one the picture follows it more closely.",
        metavar="G",
        label="Guidance",
        hint="Weight of the prompt; 0 or more.",
        choices=("1", "5", "7.5", "10"),
        row=("", 4),
        **_OF_THE_MODEL,
    )
    strength: float = setting(
        1.0,
        check=finite(lambda share: 0 < share <= 1, "above 0 and at most 1"),
        help="How much noise a border is painted from, above 0 and up to 1 (nothing but noise); "
        "the rest is a mirror image of the picture.",
        metavar="S",
        hint="How much noise a border is painted from; above 0, up to 1 (all).",
        choices=("0.9", "0.95", "0.99", "1"),
        row=("painting", 1),
        slows=True,
        **_OF_THE_MODEL,
    )
    scheduler: str = setting(
        "",
        help="Sampler, such as ddim, euler, dpm++ or unipc.",
        metavar="NAME",
        hint="The sampler; empty: what suits the model.",
        choices=names.schedulers,
        row=("painting", 1),
        slows=True,
        **_OF_THE_MODEL,
    )
    trust_pickled_weights: bool = setting(
        False,
        help="Also open model files that are not safetensors. Such files can run any code with "
        "your rights: only for models whose maker you trust.",
        steerable=True,
        new_painter=True,
        used_by=DIFFUSION,
    )
    loras: tuple[str, ...] = setting(
        (),
        kind="words",
        help="A LoRA (.safetensors) for the model, optionally with a weight such as 0.8; "
        "repeatable.",
        metavar="FILE[:WEIGHT]",
        named="--lora",
        label="LoRAs",
        hint="FILE.safetensors or FILE.safetensors:0.8; several with spaces.",
        row=("painting", 5),
        **_OF_THE_MODEL,
    )
    speed: Speed = setting(
        "quality",
        only=get_args(Speed),
        help="What the diffusion painter gives up for speed. quality (default): nothing; balanced: "
        "the weight of the prompt in the last steps; fast: that, and some detail, because it takes "
        "fewer steps with a distilled LoRA, or runs only a part of the model in most steps.",
        metavar="quality|balanced|fast",
        hint="What is traded for speed; quality trades nothing.",
        row=("", 5),
        slows=True,
        **_OF_THE_MODEL,
    )
    device: Device = setting(
        "auto",
        only=get_args(Device),
        help="Where the diffusion painter runs: gpu, cpu, or auto: on a GPU where there is one. A "
        "film that is begun on a GPU stops where none can be used.",
        metavar="auto|gpu|cpu",
        slows=True,
        **_OF_THE_MODEL,
    )
    quantise: Quantise = setting(
        "auto",
        only=get_args(Quantise),
        help="Keep a transformer's weights in 8 bits, which halves them and changes pictures a "
        "little: yes, no, or auto: where the GPU is too small for 16, if torchao is installed "
        "(zoomtui[quantise]).",
        metavar="auto|yes|no",
        slows=True,
        **_OF_THE_MODEL,
    )
    seed: int = setting(
        0,
        check=between(0, MAX_SEED),
        help="Number from which every random choice follows: the same seed gives the same film.",
        hint="The same seed gives the same film. Ctrl+R draws another.",
        row=("", 5),
        steerable=True,
    )
    method: Method = setting(
        "direct",
        only=get_args(Method),
        help="direct: the film zooms out, and all four sides are painted in one call; sequential: "
        "one part after another; refine: it dives into the picture, which gets new detail.",
        metavar="NAME",
        hint="refine dives in; direct: four sides in one call; sequential: one by one.",
        row=("painting", 2),
        **_OF_ANY_PAINTER,
    )
    focus: str = setting(
        "0.5,0.5",
        check=point_or_auto,
        help="Where a dive (--method refine) goes: a point from 0,0 (top left) to 1,1 (bottom "
        "right), or auto: to where there is most to see.",
        metavar="X,Y|auto",
        hint="Where a dive goes: X,Y from 0,0 (top left) to 1,1; or auto.",
        choices=("0.5,0.5", AUTO),
        row=("painting", 3),
        steerable=True,
        provenance=True,
    )
    tile: int = setting(
        0,
        check=between(0, 8192, " pixels"),
        help="Side of the tiles in which a dive, or with --method sequential a border, is painted "
        "where the canvas is larger; they overlap by a quarter. By default what suits the model; "
        "0: in one piece.",
        metavar="PX",
        hint="Side of the tiles in which larger canvases are painted; 0: in one piece.",
        choices=("0", "512", "768", "1024"),
        row=("painting", 5),
        steerable=True,
        slows=True,
        provenance=True,
    )
    candidates: int = setting(
        1,
        check=between(1, 64),
        help="Versions to paint of each border, in one batch where the painter can; the one with "
        "the best seam and drift is kept. The first picture is painted once.",
        hint="Versions to paint of each border; the best one is kept.",
        choices=("1", "2", "4", "8"),
        row=("painting", 2),
        steerable=True,
        slows=True,
        provenance=True,
    )
    prompt_blend: int = setting(
        0,
        check=between(0, 10_000, " keyframes"),
        help="Number of keyframes over which a new prompt replaces the one before; 0 (default): it "
        "does so at once.",
        hint="Keyframes over which a new prompt replaces the one before.",
        choices=("0", "2", "4", "8"),
        row=("painting", 4),
        steerable=True,
        used_by=DIFFUSION,
    )

    upscaler: str = setting(
        "",
        help="What --upscale enlarges with: a super-resolution model (ESRGAN, Compact, SPAN, DAT … "
        "all that spandrel knows) in one .safetensors file.",
        metavar="FILE",
        hint="A super-resolution model, FILE.safetensors, for upscale 2 or 4.",
        row=("painting", 6),
        **_OF_ANY_PAINTER,
    )
    overmask: int = setting(
        0,
        check=between(0, 256, " pixels"),
        help="Let the painter redraw so many pixels of the picture's edge (rounded up to its "
        "latent cells) to find a better join; the film still shows the edge as it was.",
        metavar="PX",
        hint="Pixels of the picture's edge that may be redrawn for a join.",
        choices=("0", "8", "16", "32"),
        row=("joining", 1),
        **_OF_DIFFUSION,
    )
    feather: int = setting(
        48,
        check=between(0, 1024, " pixels"),
        help="Pixels of border over which a difference at the join fades away; 0: it does not "
        "fade.",
        metavar="PX",
        hint="Pixels of border over which a difference at the join fades away.",
        choices=("16", "32", "48", "64", "96"),
        row=("joining", 1),
        **_OF_DIFFUSION,
    )
    colour_fit: bool = setting(
        True,
        kind="switch",
        help="Undo the painter's change of colours; on by default.",
        choices=("yes", "no"),
        row=("joining", 2),
        **_OF_DIFFUSION,
    )
    drift_guard: float = setting(
        0.15,
        check=between(0, 1),
        help="How strongly colours that stray too far from the first picture's, or from what a new "
        "prompt has made of them, are pulled back at each keyframe, 0 (off) to 1.",
        metavar="S",
        hint="How strongly strayed colours are pulled back, 0 (off) to 1.",
        choices=("0", "0.1", "0.15", "0.3"),
        row=("joining", 2),
        **_OF_DIFFUSION,
    )
    seam_pass: float = setting(
        0.0,
        check=between(0, 1, off=True),
        help="Paint a thin band along the join once more, at this strength, such as 0.4; 0 "
        "(default): off. Diffusion painter only.",
        metavar="S",
        hint="Paint a band along the join again, at this strength; 0: off.",
        choices=("0", "0.2", "0.3", "0.4"),
        row=("joining", 3),
        slows=True,
        **_OF_DIFFUSION,
    )
