"""A farm's worker: one engine at a time on one device, and a way to it for viewers elsewhere.

It is the engine's parent, so that both end together. It lives in a process of its own, whose
environment is the engine's. Knows nothing of Ray and of queues.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import tempfile
import threading
from pathlib import Path
from types import FrameType

from renderer import __version__
from renderer.errors import RendererError
from renderer.project import registry
from renderer.project.lease import offer
from renderer.project.records import read_settings
from renderer.queue.devices import devices
from renderer.service.messenger import Messenger
from renderer.service.supervisor import Supervisor

_AT_ONCE = 1 << 16
"""Bytes."""

Failure = tuple[int, str]
"""An exit code and its line; 0: none."""


class Worker:
    """On the GPU that this process sees, or on the processor.

    Every method may be called from any thread; the constructor must be on the main one: it hears
    SIGTERM, which ends the render after the segment in hand, and then this process.
    """

    def __init__(self, *, gpu: bool, lease: float) -> None:
        """``lease``: seconds without a beat, after which another worker may take a render over."""
        self._gpu = gpu
        self._lease = lease
        self._render: _Render | None = None
        self._leaving = False
        self._viewers: dict[int, socket.socket] = {}
        self._sockets = tempfile.mkdtemp(prefix="zoomtui-")
        os.environ[registry.SOCKETS] = self._sockets  # a home may be shared, a socket can't be
        signal.signal(signal.SIGTERM, self._on_signal)

    def greet(self, version: str, probe: str) -> str:
        """Why it can't be used; empty: it can.

        ``version``: of zoomtui, where the queue is. ``probe``: a file that is there, in the queue.
        """
        if version != __version__:
            return f"it has zoomtui {__version__}, the queue's machine {version}"
        if not Path(probe).exists():
            return f"it does not see {Path(probe).parent}: storage must be shared, under one path"
        try:
            device = devices("all" if self._gpu else "cpu")[0]  # of those that Ray lets it see
        except RendererError as error:
            return str(error)
        os.environ.update(device.environment)
        return ""

    def begin(self, project: str) -> Failure:
        """Render it; returns once viewers can connect, or with what is wrong (-1: not here now)."""
        if self._leaving or self.renders():
            return -1, "the worker is busy or leaving"
        folder = Path(project)
        try:
            read_settings(folder)
            offer(folder, self._lease)
            self._render = _Render(folder)
        except RendererError as error:
            return error.exit_code, str(error)
        return self._render.opened()

    def renders(self) -> str:
        """The project that it renders; empty: none."""
        render = self._render
        return str(render.folder) if render and render.thread.is_alive() else ""

    def wait(self, project: str, seconds: float) -> int | None:
        """The exit code of that render; None: after that time it has not ended. -1: not known."""
        render = self._render
        if render is None or str(render.folder) != project:
            return -1
        render.thread.join(seconds)
        return None if render.thread.is_alive() else render.failure[0]

    def stop(self) -> None:
        """End the render after the segment in hand; returns at once."""
        if self._render is not None:
            self._render.stop()

    def leave(self) -> None:
        """The same, and wait for it; nothing more is rendered here."""
        self._leaving = True
        if self._render is not None:
            self._render.stop()
            self._render.thread.join()
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        def end() -> None:
            self.leave()
            os._exit(128 + number)

        threading.Thread(target=end, name="end").start()

    # ------------------------------------------------------------------------------- viewers

    def connect(self, viewer: int, project: str) -> bool:
        """Let a viewer, by a number of its own, talk to the engine; False: there is none."""
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(os.fspath(registry.socket_path(Path(project))))
        except OSError:
            line.close()
            return False
        self._viewers[viewer] = line
        return True

    def read(self, viewer: int, seconds: float) -> bytes | None:
        """What the engine says next; None: nothing, for so long; empty: that is all."""
        try:
            line = self._viewers[viewer]
            ready, _, _ = select.select([line], [], [], seconds)
            return line.recv(_AT_ONCE) if ready else None
        except (KeyError, OSError, ValueError):  # closed meanwhile
            return b""

    def write(self, viewer: int, data: bytes) -> None:
        """Say it to the engine."""
        try:
            self._viewers[viewer].sendall(data)
        except (KeyError, OSError):  # the engine has gone, which ``read`` tells
            return

    def hang_up(self, viewer: int = 0) -> None:
        """That viewer has left; 0: all have."""
        for each in [viewer] if viewer else list(self._viewers):
            if line := self._viewers.pop(each, None):
                line.close()


class _Render:
    """One, on a thread of its own, from construction on. Raises SettingsError as ``Messenger``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.failure: Failure = 0, ""
        self._known = threading.Event()
        self._signals: list[int] = []
        self._messenger = Messenger(folder, lambda event: None)
        self._parent = Supervisor(folder, self._messenger.show, self._known.set, detached=False)
        self.thread = threading.Thread(target=self._run, name="render")
        self.thread.start()

    def opened(self) -> Failure:
        """Waits until viewers can connect, or it has failed."""
        self._known.wait()
        return self.failure

    def stop(self) -> None:
        self._signals.append(signal.SIGTERM)
        self._parent.stop(signal.SIGTERM)

    def _run(self) -> None:
        try:
            with self._messenger, self._parent:
                self.failure = self._parent.run(self._signals), ""
        except RendererError as error:
            self.failure = error.exit_code, str(error)
        finally:
            self._known.set()
