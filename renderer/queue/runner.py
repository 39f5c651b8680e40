"""Renders a queue's jobs: one engine a device, the next job to the next device that is free.

Each engine has a parent of its own and belongs to no terminal, so that it goes on where this
process is killed; the next one finds it at work and waits for it as for its own. Knows records and
processes; nothing of pictures.
"""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress

from renderer.errors import EngineCrashed, ProjectBusy, RendererError, StorageError
from renderer.project.lock import Holder
from renderer.project.records import read_settings
from renderer.project.session_record import RESTARTS, engine, supervisor
from renderer.project.status import State, read_status
from renderer.queue.devices import Device
from renderer.queue.jobs import Job, Queue, Turn
from renderer.service.client import NotRunning, Refused, ask
from renderer.service.launch import launched
from renderer.service.signals import GLANCE, stopping

Say = Callable[[str, Job], None]
"""Takes what happens to a job, in words; from any thread."""


class Runner:
    """For one queue and these devices, once."""

    def __init__(
        self,
        queue: Queue,
        devices: Sequence[Device],
        say: Say,
        *,
        until_empty: bool = False,
        slice_seconds: float = 0.0,
    ) -> None:
        """``slice_seconds``: a job that has been rendered for so long makes room, at a segment's
        end, for one that waits, and waits behind it; 0: it doesn't."""
        self._queue = queue
        self._devices = devices
        self._say = say
        self._until_empty = until_empty
        self._slice = slice_seconds
        self._stopping = threading.Event()
        self._choosing = threading.Lock()
        self._taken: dict[str, Job] = {}
        """Those that are being rendered, by their projects."""

    def run(self) -> int:
        """Until a signal comes, or with ``until_empty`` no job waits; the exit code.

        The first signal ends all renders after the segments in hand; a second raises Abandoned,
        and they go on without this process. 6: the disk is full, and the queue paused for that.
        Must be called on the main thread. Raises ProjectBusy where the queue is being run already,
        RendererError.
        """
        with ExitStack() as held:
            held.enter_context(self._queue.lock())
            names = {device.name for device in self._devices}
            known = [job for job in self._queue.jobs() if job.device in names]
            at_work = {job.device: job for job in known if _at_work(job)}
            self._taken = {job.project: job for job in at_work.values()}
            signals = held.enter_context(stopping(lambda number: self._stopping.set()))
            pool = ThreadPoolExecutor(len(self._devices), "queue")
            serving = [
                pool.submit(self._serve, device, at_work.get(device.name))
                for device in self._devices
            ]
            for each in serving:
                each.add_done_callback(self._heed)
            while wait(serving, GLANCE).not_done:
                pass
        for each in serving:
            each.result()
        if signals:
            return 128 + signals[0]
        return StorageError.exit_code if self._queue.paused else 0

    def _heed(self, serving: Future[None]) -> None:
        """What goes wrong with one device ends the renders on the others."""
        if serving.exception():
            self._stopping.set()

    def _serve(self, device: Device, at_work: Job | None) -> None:
        """One job after the other; ``at_work``: one that an earlier process has begun here."""
        if at_work is not None:
            self._follow(at_work, None, device)
        while not self._stopping.is_set():
            job = self._take(device)
            if job is not None:
                self._render(job, device)
            elif self._until_empty and self._is_empty():
                return
            else:
                self._stopping.wait(GLANCE)

    def _take(self, device: Device) -> Job | None:
        """The next that waits, and is not rendered by anything else; None: there is none."""
        with self._choosing:
            if self._queue.paused is not None:
                return None
            for job in self._queue.jobs():
                waits = job.turn is Turn.WAITING and job.project not in self._taken
                if waits and not _at_work(job):
                    job = self._queue.update(job, device=device.name)
                    self._taken[job.project] = job
                    return job
        return None

    def _is_empty(self) -> bool:
        """Nothing is rendered, and nothing will be."""
        with self._choosing:
            waits = self._queue.paused is None and self._others_wait()
        return not self._taken and not waits

    def _others_wait(self) -> bool:
        jobs = self._queue.jobs()
        return any(job.turn is Turn.WAITING and job.project not in self._taken for job in jobs)

    def _render(self, job: Job, device: Device) -> None:
        try:
            read_settings(job.folder)  # where it is gone, this says so best
            process = launched(job.folder, **device.environment)
        except EngineCrashed:
            self._end(job, *_after_kill(job))
        except ProjectBusy:  # something else has just begun to render it
            self._end(job, Turn.WAITING, "")
        except RendererError as error:
            self._end(job, Turn.FAILED, str(error))
        else:
            self._follow(job, process, device)

    def _follow(self, job: Job, process: subprocess.Popen[bytes] | None, device: Device) -> None:
        """Wait until it has ended or is to make room, and write down what became of it.

        ``process``: its parent; None: that was started by another process.
        """
        self._say(f"{'begun' if process else 'still rendered'} on {device.name}", job)
        parent = process.pid if process else _pid(_at_work(job))
        begun, stopped = time.monotonic(), False
        frames = _frames(job)
        while not _has_ended(parent):
            if not stopped and self._is_to_stop(job, begun, frames):
                stopped = True
                with suppress(NotRunning, Refused):  # it is just ending
                    asyncio.run(ask(job.folder, "stop"))
        code = process.wait() if process else None
        self._end(job, *self._outcome(job, stopped, code))

    def _is_to_stop(self, job: Job, begun: float, frames: int) -> bool:
        """``begun``: on the monotonic clock, with so many frames in its film."""
        if self._stopping.is_set() or self._queue.turn(job.folder) is not Turn.WAITING:
            return True
        late = self._slice and time.monotonic() - begun > self._slice
        # A slice shorter than a segment takes to be made would stand still.
        return bool(late) and self._others_wait() and _frames(job) > frames

    def _outcome(self, job: Job, stopped: bool, code: int | None) -> tuple[Turn, str]:
        """Its turn from now on, and why. ``code``: its parent's exit code; None: not known."""
        try:
            status = read_status(job.folder)
        except RendererError as error:
            return Turn.FAILED, str(error)
        failure = status.session.failure
        if status.state is State.FINISHED:
            return Turn.DONE, ""
        if status.state is State.FAILED and status.session.exit_code == StorageError.exit_code:
            self._queue.pause(failure)  # the others would only fail as well
            return Turn.WAITING, failure
        if status.state is State.FAILED:
            return Turn.FAILED, failure
        if stopped or code is None:
            return Turn.WAITING, ""
        if code == 0:
            return Turn.HELD, "stopped by a viewer; `zoomtui queue release` lets it go on"
        return _after_kill(job)

    def _end(self, job: Job, turn: Turn, why: str) -> None:
        """Write it down, unless the user has taken the job out, or holds it, meanwhile."""
        with self._choosing:
            wished = self._queue.turn(job.folder)
            if turn is Turn.WAITING and wished is Turn.HELD:
                turn = Turn.HELD
            place = time.time() if turn is Turn.WAITING and self._slice else job.place
            killed = job.killed + 1 if why == _KILLED else 0
            self._queue.update(job, turn=turn, why=why, place=place, killed=killed)
            del self._taken[job.project]
        self._say(f"{_SAID[turn]}{': ' * bool(why)}{why}", job)


_KILLED = "its processes were killed"
_SAID = {
    Turn.WAITING: "waits",
    Turn.HELD: "held",
    Turn.DONE: "finished",
    Turn.FAILED: "failed",
}


def _after_kill(job: Job) -> tuple[Turn, str]:
    """Its turn, and why, where its processes were killed."""
    if job.killed >= RESTARTS:
        return Turn.FAILED, f"its processes were killed {job.killed + 1} times in a row"
    return Turn.WAITING, _KILLED


def _at_work(job: Job) -> Holder | None:
    """What renders it, or is about to."""
    return supervisor(job.folder) or engine(job.folder)


def _frames(job: Job) -> int:
    with suppress(RendererError):  # what is wrong with it is said once it has ended
        return read_status(job.folder).frames
    return 0


def _pid(parent: Holder | None) -> int:
    return parent.pid if parent else 0


def _has_ended(pid: int) -> bool:
    """Whether that process is gone, now or after a glance."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return True
    try:
        return bool(select.select([handle], [], [], GLANCE)[0])
    finally:
        os.close(handle)
