"""The control socket of a render that is made elsewhere: viewers here find it as if it were here.

Bytes go to the worker and back unread; but a picture in the making is asked of no other
machine, so that commands and events are all that crosses. Knows the worker by four methods.
"""

from __future__ import annotations

import json
import secrets
import socket
import socketserver
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from renderer.project import registry
from renderer.service.protocol import LONGEST_LINE
from renderer.service.server import listen
from renderer.service.signals import GLANCE


class Line(Protocol):
    """To the engine; as ``worker.Worker``. Raises OSError where that is gone."""

    def connect(self, viewer: int, project: str) -> bool: ...
    def read(self, viewer: int, seconds: float) -> bytes | None: ...
    def write(self, viewer: int, data: bytes) -> None: ...
    def hang_up(self, viewer: int) -> None: ...


class Relay(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """For the project at ``folder``, from construction to ``end``. Raises StorageError."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, folder: Path, line: Line) -> None:
        self.project = str(folder)
        self.line = line
        self._path = registry.socket_path(folder)
        super().__init__(str(self._path), _Viewer, bind_and_activate=False)
        self.socket.close()
        self.socket = listen(self._path)
        registry.remember(folder)
        threading.Thread(target=self.serve_forever, name="relay", daemon=True).start()

    def end(self) -> None:
        """No viewer comes any more; those that are there hear the engine to its end.

        Returns at once: the worker waits for its next job.
        """
        self._path.unlink(missing_ok=True)
        threading.Thread(target=self._close, name="relay's end", daemon=True).start()

    def _close(self) -> None:
        self.shutdown()  # seen at the server's next look, within half a second
        self.server_close()


class _Viewer(socketserver.StreamRequestHandler):
    server: Relay

    def handle(self) -> None:
        line, number = self.server.line, secrets.randbits(63)
        with suppress(OSError):
            if not line.connect(number, self.server.project):
                return
            threading.Thread(target=self._listen, args=(number,), daemon=True).start()
            while (said := line.read(number, GLANCE)) != b"":
                if said:
                    self.wfile.write(said)
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)  # ends the other thread's reading

    def _listen(self, number: int) -> None:
        """Until the viewer leaves."""
        line = self.server.line
        with suppress(OSError, ValueError):
            while asked := self.rfile.readline(LONGEST_LINE):
                line.write(number, _passed_on(asked))
        with suppress(OSError):
            line.hang_up(number)


def _passed_on(asked: bytes) -> bytes:
    """The command; in place of one for a picture, one that the engine refuses."""
    if b"preview" in asked:
        with suppress(ValueError, AttributeError):
            said = json.loads(asked)
            if said.get("command") == "preview":
                return json.dumps({**said, "command": "preview from elsewhere"}).encode() + b"\n"
    return asked
