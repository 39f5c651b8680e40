"""The options by which a film is described, shared by the verbs that make or change one.

They carry RenderSettings' own names, so that a verb hands them on as they come. Ranges and names
are checked by the engine, in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class KeyframeCount(click.ParamType[Any]):
    """A whole number, or ``inf``."""

    name = "number or inf"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        if str(value).lower() == "inf":
            return "inf"
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} is neither a whole number nor inf", param, ctx)


class KeyValue(click.ParamType[Any]):
    """``KEY=VALUE``."""

    name = "KEY=VALUE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, equals, rest = str(value).partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        return key, rest


FILE = click.Path(path_type=Path)
FOLDER = click.Path(path_type=Path)

headless_option = click.option(
    "--headless",
    is_flag=True,
    help="Render in the foreground, with plain lines (Slurm, systemd, CI). Otherwise, on a "
    "terminal, the render gets a process of its own and the live monitor opens on it.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line, for scripts."
)


def painting_options(command: F) -> F:
    """What may change at every keyframe."""
    option = click.option
    return _stacked(
        command,
        option(
            "--painter",
            metavar="NAME",
            help="texture (no model), diffusion, or module:factory. By default diffusion where "
            "there is a usable accelerator, else texture.",
        ),
        option(
            "--model",
            metavar="ID|FOLDER",
            help="Model of the diffusion painter: a preset (see `zoomtui models`), a hub id, which "
            "may end in @revision, a folder, or a checkpoint in one .safetensors file.",
        ),
        option("--negative-prompt", metavar="TEXT", help="What to keep out of the picture."),
        option("--steps", type=int, metavar="N", help="Denoising steps a call."),
        option("--guidance-scale", type=float, metavar="G", help="Weight of the prompt."),
        option(
            "--strength",
            type=float,
            metavar="S",
            help="How much of the border is noised anew, above 0 and up to 1.",
        ),
        option("--scheduler", metavar="NAME", help="Sampler, such as ddim, euler, dpm++ or unipc."),
        option(
            "--trust-pickled-weights",
            is_flag=True,
            default=None,
            help="Open model files that are no safetensors. They can run any code as you: only for "
            "models whose maker you trust.",
        ),
        option(
            "--lora",
            "loras",
            multiple=True,
            metavar="FILE[:WEIGHT]",
            help="A LoRA (.safetensors) for the model, with a weight such as 0.8; repeatable.",
        ),
        option(
            "--speed",
            metavar="quality|balanced|fast",
            help="What the diffusion painter trades for speed. quality (default): nothing; "
            "balanced: the prompt's weight in the last steps; fast: that, and detail, by fewer "
            "steps with a distilled LoRA, or by steps of which most run only a part of the model.",
        ),
        option("--seed", type=int, metavar="N", help="The root of every random choice."),
        option(
            "--method",
            metavar="direct|sequential",
            help="All four sides in one call, or one side a call.",
        ),
        option(
            "--candidates",
            type=int,
            metavar="N",
            help="Versions to paint of each border, in one batch where the painter can; the one "
            "with the best seam and drift is kept. The first picture is painted once.",
        ),
        option(
            "--prompt-blend",
            type=int,
            metavar="N",
            help="Keyframes that a new prompt takes to replace the one before; 0 (default): none.",
        ),
        option(
            "--overmask",
            type=int,
            metavar="PX",
            help="Let the painter redraw so much of the picture's edge, in whole cells of its "
            "latents, to find a better join; what was there is kept all the same.",
        ),
        option(
            "--feather",
            type=int,
            metavar="PX",
            help="Border over which what differs at the join fades away; 0: none.",
        ),
        option(
            "--colour-fit/--no-colour-fit",
            default=None,
            help="Undo the painter's change of colours; on by default.",
        ),
        option(
            "--drift-guard",
            type=float,
            metavar="S",
            help="Share by which colours that left the first picture's are pulled back a keyframe; "
            "0: off.",
        ),
        option(
            "--seam-pass",
            type=float,
            metavar="S",
            help="Paint a thin band along the join once more, at this strength, such as 0.4; 0 "
            "(default): not. For diffusion.",
        ),
        option(
            "--keyframes",
            type=KeyframeCount(),
            metavar="N|inf",
            help="Pictures in all, the first included; inf: until stopped.",
        ),
    )


def film_options(*, hidden: bool = False) -> Callable[[F], F]:
    """What is fixed once a film has begun. ``hidden``: taken, so that the refusal can say why."""
    option = partial(click.option, hidden=hidden)

    def decorate(command: F) -> F:
        return _stacked(
            command,
            option(
                "--outpaint-size",
                type=int,
                metavar="PX",
                help="Border added at each end of the shorter edge (instead of --zoom-factor).",
            ),
            option(
                "--zoom-factor",
                type=float,
                metavar="R",
                help="How much wider the view gets a keyframe; 1.5 by default.",
            ),
            option("--size", metavar="WxH", help="Film size, any aspect, even sides."),
            option(
                "--keyframe-size",
                metavar="WxH",
                help="The picture that is outpainted; by default what suits model and film.",
            ),
            option(
                "--fps",
                metavar="RATE",
                help="Frames a second, also 24000/1001; 30 by default.",
            ),
            option(
                "--frames-per-keyframe",
                type=int,
                metavar="N",
                help="Frames from one keyframe to the next.",
            ),
            option(
                "--seconds-per-keyframe",
                type=float,
                metavar="S",
                help="The same in seconds; 2 by default.",
            ),
            option(
                "--direction",
                metavar="out|in",
                help="in: at the end the film zooming in is made as well, as exports/in.mp4; until "
                "then there is the one zooming out to watch.",
            ),
            option(
                "--codec",
                metavar="NAME",
                help="h264 (default), hevc, av1, vp9, or an encoder such as h264_nvenc.",
            ),
            option(
                "--crf", type=int, metavar="N", help="Quality of the film; lower is better, larger."
            ),
            option(
                "--preset", metavar="NAME", help="The encoder's speed preset, such as veryfast."
            ),
            option(
                "--encoder-option",
                "encoder_options",
                type=KeyValue(),
                multiple=True,
                help="Anything else for the encoder; repeatable.",
            ),
        )

    return decorate


def wishes(options: dict[str, Any]) -> dict[str, Any]:
    """What was really given, as plain values by RenderSettings' names."""
    given = {key: value for key, value in options.items() if value is not None}
    if not given.get("loras"):
        given.pop("loras", None)  # click's way to say that it was not given
    pairs = dict(given.pop("encoder_options", ()))
    return {**given, "encoder_options": pairs} if pairs else given


def _stacked(command: F, *options: Callable[[Any], Any]) -> F:
    """``command`` with the options in the order of its help."""
    for option in reversed(options):
        command = option(command)
    return command
