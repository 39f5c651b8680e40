"""The page's real server, asked over real sockets."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from renderer.project import registry
from tests.cli.processes import PATIENCE, Running


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Served:
    """A server that runs."""

    process: Running
    link: str
    port: int
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """With the token, unless ``authorization`` says otherwise; names of headers with _ for -.

        A header that is empty is left out.
        """
        given = {"authorization": f"Bearer {self.token}", **headers}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.putrequest(method, path, skip_host="host" in given)
            for name, value in given.items():
                if value:
                    connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def say(self, data: bytes) -> bytes:
        """Bytes as they are; all that is answered until the server ends the connection."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            said = b""
            with contextlib.suppress(ConnectionError):  # one way to end it
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65536):
                    said += part
            return said

    def request(self, path: str) -> bytes:
        """A request that may be read slowly, or not at all."""
        return (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.token}\r\n\r\n"
        ).encode()

    @contextmanager
    def events(self, path: str) -> Iterator[Iterator[dict[str, Any]]]:
        """What is told there, each time all that is known by then."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            connection.sendall(self.request(path))
            with connection.makefile("rb") as lines:
                yield told(lines)


def told(lines: Any) -> Iterator[dict[str, Any]]:
    known: dict[str, Any] = {}
    for line in lines:
        if line.startswith(b"data: "):
            known |= json.loads(line[6:])
            yield known


def address(folder: Path) -> str:
    """Of a render's page."""
    return f"/r/{registry.identity(folder)}"


@contextmanager
def serving(*arguments: str | Path, cwd: Path, **environment: str) -> Iterator[Served]:
    """`zoomtui serve` on a free port."""
    words = ["serve", "--port", "0", *map(str, arguments)]
    with Running(*words, cwd=cwd, **environment) as process:
        found = re.search(r"http://\S+", process.until("\n"))
        assert found
        link = urllib.parse.urlsplit(found[0])
        token = urllib.parse.parse_qs(link.query)["token"][0]
        yield Served(process, found[0], link.port or 80, token)
