"""`python -m renderer PROJECT`: the engine without an interface, one JSON event a line.

This process is the engine's parent, which starts the engine itself and starts it again after a
crash (``service.supervisor``). With --ready-fd it was started by an interface that waits for one
line on that file descriptor ("ready", or the reason why not) and then leaves it alone: nothing is
printed, and viewers use the socket.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from pathlib import Path

from renderer.engine.events import Event, to_json
from renderer.errors import ProjectBusy, RendererError
from renderer.farm import painters
from renderer.files import fill_standard_handles
from renderer.project.lock import busy_message
from renderer.project.records import SUPERVISOR
from renderer.project.session_record import supervisor as parent_of
from renderer.service import supervisor
from renderer.service.signals import Abandoned


def main() -> int:
    fill_standard_handles()
    asked = _parser().parse_args()
    try:
        return _run(asked)
    except KeyboardInterrupt:  # before there was anything to stop
        return 130
    except Abandoned as abandoned:
        os._exit(abandoned.exit_code)
    except RendererError as error:
        if asked.ready_fd is not None:
            tell(asked.ready_fd, str(error))
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m renderer",
        description="Render the project at PROJECT; one JSON event a line on standard output.",
        epilog="After a crash the engine is restarted, at most 3 times in 10 minutes. "
        "Exit codes: see renderer/errors.py; 130 and 143: stopped by SIGINT, SIGTERM.",
    )
    parser.add_argument("project", metavar="PROJECT", type=Path)
    parser.add_argument(
        "--alone",
        action="store_true",
        help="The engine in this very process, so that nothing restarts it: for a debugger, or a "
        "service manager that restarts by itself.",
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="Run the painter or the pickled model files that a project from elsewhere names.",
    )
    parser.add_argument("--ready-fd", metavar="N", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--parent-fd", metavar="N", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--paused", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--after-crash", metavar="TEXT", default="", help=argparse.SUPPRESS)
    return parser


def _run(asked: argparse.Namespace) -> int:
    folder: Path = asked.project
    if asked.trust:
        from renderer.project.project import Project

        with Project.open(folder) as project:
            project.trust()
    if asked.parent_fd is not None:
        from renderer.service import parent

        return parent.run(
            folder,
            asked.parent_fd,
            detached=asked.detached,
            news=asked.after_crash,
            paused=asked.paused,
            painters=painters(folder),
        )
    if asked.alone:
        return _run_alone(folder)
    if asked.ready_fd is None:
        return supervisor.run(folder, write_json)
    return supervisor.run(
        folder, write_nothing, on_open=lambda: tell(asked.ready_fd, "ready"), detached=True
    )


def _run_alone(folder: Path) -> int:
    from renderer.service import run_engine
    from renderer.service.messenger import Messenger

    if parent_of(folder):  # its engine may be gone for the moment
        raise ProjectBusy(busy_message(folder / SUPERVISOR))
    with Messenger(folder, write_json) as messenger:
        return run_engine.run(folder, messenger.show, painters=painters(folder)) or 0


def tell(handle: int, line: str) -> None:
    """One line to the process that started this engine, which may have gone."""
    with contextlib.suppress(OSError):
        os.write(handle, f"{line}\n".encode())
        os.close(handle)


def write_nothing(event: Event) -> None:
    """For an engine that is watched through its socket alone."""


def write_json(event: Event) -> None:
    """One line; a reader that has gone away is no reason to end a render."""
    try:
        sys.stdout.write(json.dumps(to_json(event)) + "\n")
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123


if __name__ == "__main__":
    sys.exit(main())
