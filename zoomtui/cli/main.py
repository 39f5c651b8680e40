"""`zoomtui`: the verbs, and what every verb shares: one-line errors and exit codes.

Each verb lives in a module beside this one and is imported when it is asked for; nothing heavy is
imported before a verb needs it.
"""

from __future__ import annotations

import gc
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn

import click

from renderer import __version__
from renderer.errors import RendererError, StorageError
from renderer.files import fill_standard_handles
from renderer.formatting import clean
from zoomtui.cli.open_tui import Look, on_terminal, show
from zoomtui.stdio import report, write_line

EXIT_CODES = """\b
Exit codes:
  0    finished, or the question is answered
  1    internal error (a bug; the details are in render.log)
  2    a setting, option or input picture can't be used
  3    no project there, or it is damaged, or it contradicts what is asked
  4    another engine is rendering the project
  5    the painter or its model can't be loaded, or can't paint
  6    the disk is full, read-only, or failed
  7    the encoder can't be opened, or failed
  8    the device failed, however often the engine was restarted
  9    the engine was killed or crashed, however often it was restarted
  130  stopped by Ctrl-C (SIGINT), or by No at a question; 143: by SIGTERM;
       a render can be resumed
"""

EXAMPLES = """\b
Examples:
  zoomtui                 the renders that are known here, on a terminal
  zoomtui demo
  zoomtui render "a coral reef, oil painting" --keyframes 20
  zoomtui attach coral.zoom
  zoomtui resume coral.zoom --keyframes 40
"""


MODULES = {
    "render": ("render", "resume", "demo"),
    "watch": ("ls", "attach", "logs"),
    "status": ("status",),
    "report": ("report",),
    "steer": ("pause", "unpause", "prompt", "steer", "focus", "stop"),
    "takes": ("rewind", "reroll", "takes", "choose", "prune", "branch"),
    "keyframes": ("mark", "place"),
    "export": ("export",),
    "serve": ("serve",),
    "import_": ("import",),
    "repair": ("verify", "repair"),
    "queue": ("queue",),
    "farm": ("farm",),
    "notify": ("notify",),
    "about": ("models", "doctor"),
    "warm": ("warm",),
}
"""Module beside this one → the verbs that it holds."""
VERBS = {verb: module for module, verbs in MODULES.items() for verb in verbs}


class Verbs(click.Group):
    """Knows the names of all verbs, and imports one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        held = vars(import_module(f"zoomtui.cli.{VERBS[cmd_name]}")).values()
        verbs = (each for each in held if isinstance(each, click.Command))
        return next(verb for verb in verbs if verb.name == cmd_name)


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    epilog=f"{EXAMPLES}\n{EXIT_CODES}",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--preview",
    metavar="MODE",
    help="How the interface shows pictures: auto, kitty, iterm2, sixel, blocks, ascii or off.",
)
@click.option("--ascii", is_flag=True, help="Plain signs only, in the interface.")
@click.version_option(__version__, prog_name="zoomtui")
@click.pass_context
def cli(context: click.Context, preview: str | None, ascii: bool) -> int | None:  # noqa: A002
    """Render infinite zooms: films that pull back without end.

    A render is a project folder. Its film.mp4 is playable at every moment. The render survives
    being killed, and `zoomtui resume` goes on with it. It belongs to no terminal: `zoomtui attach`
    shows it from wherever you are.
    """
    context.obj = Look(preview, ascii)
    if context.invoked_subcommand is not None:
        return None
    if on_terminal():
        return show(context.obj)
    write_line(context.get_help())
    return 2


def main(arguments: list[str] | None = None) -> None:
    """Run a verb and leave with its exit code; every error that is not a bug is one line."""
    fill_standard_handles()
    signal.signal(signal.SIGTERM, _terminated)
    code = _run(arguments)
    gc.freeze()  # spares every verb the interpreter's last collection, 7 ms of 115 for `status`
    sys.exit(code)


def _terminated(number: int, _: FrameType | None) -> NoReturn:
    """Until a render takes signals over: leave by way of every clean-up, as Ctrl-C does."""
    raise SystemExit(128 + number)


def _run(arguments: list[str] | None) -> int:
    try:
        code: Any = cli.main(arguments, prog_name="zoomtui", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        report(_usage_line(error))
        return 2
    except RendererError as error:
        from zoomtui.cli.options import option_of

        report(clean(error.naming(option_of(error.field))))
        return error.exit_code
    except OSError as error:  # a path too long, a folder that may not be entered: no bug of ours
        where = f"{error.filename}: " if error.filename else ""
        report(clean(f"{where}{error.strerror or error}"))
        return StorageError.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except SystemError as error:  # the signal came while a compiled loop ran
        if isinstance(error.__cause__, KeyboardInterrupt):
            return 130
        if isinstance(error.__cause__, SystemExit):
            raise error.__cause__ from None
        raise
    return code if isinstance(code, int) else 0


def _usage_line(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "zoomtui"
    text = clean(" ".join(error.format_message().split()))
    return f"{text.rstrip('.')}; see `{path} --help`"
