"""The page's server: where it listens, what it says of that, and its end.

One process, at a lower priority than any engine. Knows no verb.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from renderer.errors import SettingsError
from renderer.formatting import path_text
from renderer.machine import is_loopback, private_socket, user_name
from zoomtui.web.access import Access
from zoomtui.web.app import Pages

_POLITE = 10
"""Niceness: painter and encoder go first."""
_MOST = 400
"""Connections; each may hold a file open."""
_PATIENCE = 600
"""Seconds for which a browser may take nothing that is sent to it; it asks anew after that."""
_LAST_WORDS = 2
"""Seconds that answers may take to end once the server does."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where it listens, and under which names browsers may ask for it."""

    listener: socket.socket
    host: str
    """As in an address."""
    port: int
    path: Path | None = None
    """Of a Unix socket; ``port`` is then the one to forward to it."""

    @property
    def everywhere(self) -> bool:
        return self.path is None and self.host in ("0.0.0.0", "[::]")

    @property
    def loopback(self) -> bool:
        """Only this machine reaches it."""
        return self.path is not None or is_loopback(self.host)

    def address(self, token: str) -> str:
        """The link."""
        host = socket.gethostname() if self.everywhere else self.host
        return f"http://{host}:{self.port}/?token={token}"

    def forwarding(self, environment: Mapping[str, str]) -> str:
        """What is typed on the user's own machine to reach it by SSH; empty: nothing is needed."""
        words = environment.get("SSH_CONNECTION", "").split()
        if not self.loopback or (len(words) != 4 and self.path is None):
            return ""
        server, port = words[2:] if len(words) == 4 else (socket.gethostname(), "22")
        target = path_text(self.path) if self.path else f"{self.host}:{self.port}"
        other = f" -p {port}" if port != "22" else ""
        return f"ssh -N -L {self.port}:{target}{other} {user_name()}@{server}"


def listen(host: str, port: int) -> Place:
    """On a TCP port; 0: any free one. Raises SettingsError."""
    with _refused(f"{host}, port {port}", "port", "; `--port 0` takes any free one"):
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with contextlib.ExitStack() as undo:
            listener = undo.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Those that it accepts inherit it: tcp(7), also for a reader whose window stays shut.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _PATIENCE * 1000)
            listener.bind(address)
            listener.listen()
            undo.pop_all()
    shown = f"[{host}]" if ":" in host else host
    return Place(listener, shown, listener.getsockname()[1])


def listen_at(path: Path, port: int) -> Place:
    """On a Unix socket that only this user reaches, 0600. Raises SettingsError.

    One at which no server listens any more is replaced, nothing else.
    """
    with _refused(str(path), "socket"):
        if path.is_socket() and not _answers(path):
            path.unlink()
        listener = private_socket(path)
        listener.listen()
    return Place(listener, "127.0.0.1", port, path.absolute())


@contextlib.contextmanager
def _refused(where: str, field: str, hint: str = "") -> Iterator[None]:
    """What the system says against it, in one line."""
    try:
        yield
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", "") or error
        raise SettingsError(f"can't listen at {where}: {why}{hint}", field) from None


def serve(pages: Pages, place: Place, token: str, began: Callable[[uvicorn.Server], None]) -> None:
    """Answer until SIGINT or SIGTERM, which then act as they do without a server."""
    os.nice(_POLITE)
    names = [socket.gethostname(), socket.getfqdn()] if place.everywhere else [place.host]
    config = uvicorn.Config(
        Access(pages.app(), token, names, any_ip=place.everywhere),
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,  # it would hold the token
        proxy_headers=False,  # it believes no other server
        server_header=False,
        limit_concurrency=_MOST,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_LAST_WORDS,
    )
    logging.getLogger("uvicorn.error").addFilter(_worth_saying)
    server = _Server(config, pages.end)
    began(server)
    try:
        server.run([place.listener])
    finally:
        if place.path is not None:
            place.path.unlink(missing_ok=True)


class _Server(uvicorn.Server):
    """Lets those go first that wait for news, so that it needn't wait for them."""

    def __init__(self, config: uvicorn.Config, end: Callable[[], None]) -> None:
        super().__init__(config)
        self._end = end

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end()
        await super().shutdown(sockets)


def _worth_saying(record: logging.LogRecord) -> bool:
    """Not: answers that were cut, on purpose or at the end, and requests that are none."""
    if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
        return False
    quiet = ("without completing response", "Invalid HTTP request", "graceful shutdown")
    return not any(each in str(record.msg) for each in quiet)


def new_token(path: Path | None) -> str:
    """A new secret; ``path``: that of this file, which is made if need be, 0600.

    Raises SettingsError where it holds none, or others may read it.
    """
    token = secrets.token_urlsafe(16)  # 128 bits
    if path is None:
        return token
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "r+", encoding="ascii") as file:
            if os.fstat(handle).st_mode & 0o077:
                raise ValueError("others may read it; `chmod 600` it")
            kept = file.read().strip()
            if not kept:
                file.write(token + "\n")
            elif len(kept) < 16 or not all(each.isalnum() or each in "-_" for each in kept):
                raise ValueError("it holds no token: at least 16 letters, digits, - and _")
            return kept or token
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}", "token_file") from None
    except ValueError as error:
        why = "it is no text" if isinstance(error, UnicodeError) else error
        raise SettingsError(f"{path}: {why}", "token_file") from None


def _answers(path: Path) -> bool:
    """Whether a server listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as attempt:
        return attempt.connect_ex(os.fspath(path)) == 0
