"""`serve`: renders in a browser."""

from __future__ import annotations

import os
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from renderer.errors import SettingsError
from renderer.project.records import read_settings
from zoomtui.cli.verb import FILE, FOLDER, verb
from zoomtui.stdio import ERR, write_line

PORT = 8787


@verb(
    "Show renders in a browser, read-only.",
    "serve",
    "serve coral.zoom --port 0",
    "serve --socket ~/.zoomtui.sock",
    notes="From elsewhere: forward the port by SSH; over SSH it prints the line that does.",
)
@click.argument("project", type=FOLDER, required=False)
@click.option("--port", default=PORT, show_default=True, help="Where; 0: any free port.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Another address of this machine: everyone who reaches it and has the link can watch.",
)
@click.option("--socket", type=FILE, help="A Unix socket instead, for `ssh -L`; yours alone.")
@click.option(
    "--token-file",
    type=FILE,
    help="A file with the link's secret, made if need be: the link stays the same.",
)
@click.option("--until-eof", is_flag=True, hidden=True)
def serve(
    project: Path | None,
    port: int,
    host: str,
    socket: Path | None,
    token_file: Path | None,
    until_eof: bool,
) -> None:
    """Serve a page that shows PROJECT, or all renders that are known here, until Ctrl-C.

    The film as it grows, keyframes, prompt, progress, figures, log. Nothing can be changed by it.
    The first line that it prints is the link to open; who has that link can watch.
    """
    if not (find_spec("starlette") and find_spec("uvicorn")):
        raise SettingsError("the page needs more packages: pip install 'zoomtui[serve]'")
    from zoomtui.web.app import Pages
    from zoomtui.web.serve import listen, listen_at, new_token
    from zoomtui.web.serve import serve as run

    if project is not None:
        read_settings(project)
    if not 0 <= port < 1 << 16:
        raise SettingsError("port must be from 0 to 65535", "port")
    token = new_token(token_file)
    place = listen(host, port) if socket is None else listen_at(socket, port or PORT)

    def began(server: Any) -> None:
        write_line(place.address(token))
        line = place.forwarding(os.environ)
        if line or until_eof:
            write_line(line)
        if not place.loopback:
            write_line(
                "note: everyone who reaches this address and has the link can watch, and the link "
                "crosses the network unencrypted; `ssh -L` to a server without --host is safer",
                ERR,
            )
        if until_eof:
            threading.Thread(target=_wait_for_eof, args=(server,), daemon=True).start()

    run(Pages(Path.cwd(), project), place, token, began)


def _wait_for_eof(server: Any) -> None:
    """End with the process that holds the other end of standard input, and reads two lines."""
    sys.stdin.buffer.read()
    server.should_exit = True
