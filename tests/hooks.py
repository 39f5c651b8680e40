"""Those that are told what happens to a render: commands and a server that keep what they hear."""

from __future__ import annotations

import json
import shlex
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

SECRET = "hunter2secret"
_PROGRAM = """#!{python}
import json, os, subprocess, sys, time
heard = {{
    "event": json.load(sys.stdin),
    "environment": {{name: text for name, text in os.environ.items() if "ZOOMTUI" in name}},
    "arguments": sys.argv[1:],
    "pid": os.getpid(),
}}
with open({heard!r}, "a") as file:
    file.write(json.dumps(heard) + "\\n")
{then}
"""


def hook(heard: Path, then: str = "") -> str:
    """The command line of one that adds a line to ``heard``, and then does ``then``."""
    program = heard.with_name("hook.py")
    program.write_text(_PROGRAM.format(python=sys.executable, heard=str(heard), then=then))
    program.chmod(0o755)
    return shlex.quote(str(program))


def told(heard: Path) -> list[dict[str, Any]]:
    """What it was told so far."""
    return [json.loads(line) for line in heard.read_text().splitlines()] if heard.exists() else []


class Target(HTTPServer):
    """What Apprise's json:// is sent to; ``answer`` is its status."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[dict[str, Any]] = []
        self.answer = 200
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def url(self) -> str:
        """Its address, with ``SECRET`` wherever one may be."""
        return f"json://user:{SECRET}@127.0.0.1:{self.server_port}/{SECRET}"


class _Handler(BaseHTTPRequestHandler):
    server: Target

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(json.loads(body))
        self.server.may_answer.wait()
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass
