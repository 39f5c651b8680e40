"""Renders a queue's jobs: one engine a worker, the next job to the next worker that is free.

Each engine has a parent of its own and belongs to no terminal, so that it goes on where this
process is killed; the next one finds it at work and waits for it as for its own. Knows records and
processes; nothing of pictures.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress

from renderer.errors import EngineCrashed, ProjectBusy, RendererError, StorageError
from renderer.project.session_record import RESTARTS
from renderer.project.status import State, read_status
from renderer.queue.jobs import Job, Queue, Turn
from renderer.queue.runs import Run, Worker, at_work
from renderer.service.signals import GLANCE, stopping

Say = Callable[[str, Job], None]
"""Takes what happens to a job, in words; from any thread."""
_MOST = 4096
"""Workers."""


class Runner:
    """For one queue, once."""

    def __init__(
        self,
        queue: Queue,
        workers: Callable[[], Sequence[Worker]],
        say: Say,
        *,
        until_empty: bool = False,
        slice_seconds: float = 0.0,
    ) -> None:
        """``workers``: those that are there now, asked again and again. ``slice_seconds``: a job
        that has been rendered for so long makes room, at a segment's end, for one that waits, and
        waits behind it; 0: it doesn't."""
        self._queue = queue
        self._workers = workers
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
        with stopping(lambda number: self.stop()) as signals:
            code = self.serve()
        return 128 + signals[0] if signals else code

    def stop(self) -> None:
        """End all renders after the segments in hand; returns at once."""
        self._stopping.set()

    def serve(self) -> int:
        """As ``run``, on any thread, until ``stop``."""
        with self._queue.lock():
            serving: dict[str, Future[None]] = {}
            try:
                self._staff(serving)
            except RendererError:
                self._stopping.set()
                wait(serving.values())
                raise
            while wait(serving.values(), GLANCE).not_done:
                pass
        for each in serving.values():
            each.result()
        return StorageError.exit_code if self._queue.paused else 0

    def _staff(self, serving: dict[str, Future[None]]) -> None:
        """Let every worker that comes serve, until there is nothing more to do."""
        pool = ThreadPoolExecutor(_MOST, "queue")
        while not self._stopping.is_set():
            for worker in self._workers():
                last = serving.get(worker.name)
                if last is None or (last.done() and not last.exception()):
                    serving[worker.name] = pool.submit(self._serve, worker, self._found(worker))
                    serving[worker.name].add_done_callback(self._heed)
            if self._until_empty and serving and self._is_empty():
                return
            self._stopping.wait(GLANCE)

    def _heed(self, serving: Future[None]) -> None:
        """What goes wrong with one worker ends the renders of the others."""
        if serving.exception():
            self._stopping.set()

    def _found(self, worker: Worker) -> tuple[Job, Run] | None:
        """The job that an earlier process has begun there."""
        for job in self._queue.jobs():
            ours = job.device == worker.name and job.project not in self._taken
            if ours and (run := worker.find(job.folder)):
                self._taken[job.project] = job
                return job, run
        return None

    def _serve(self, worker: Worker, found: tuple[Job, Run] | None) -> None:
        """One job after the other, as long as the worker is there."""
        if found is not None:
            job, run = found
            self._say(f"still rendered on {worker.name}", job)
            self._follow(job, run)
        while worker.there and not self._stopping.is_set():
            job_or_none = self._take(worker)
            if job_or_none is not None:
                self._render(job_or_none, worker)
            elif self._until_empty and self._is_empty():
                return
            else:
                self._stopping.wait(GLANCE)

    def _take(self, worker: Worker) -> Job | None:
        """The next that waits, and is not rendered by anything else; None: there is none."""
        with self._choosing:
            if self._queue.paused is not None:
                return None
            for job in self._queue.jobs(GLANCE):
                waits = job.turn is Turn.WAITING and job.project not in self._taken
                waits = waits and self._queue.turn(job.folder) is Turn.WAITING
                if waits and not at_work(job.folder):
                    job = self._queue.update(job, durable=False, device=worker.name)
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

    def _render(self, job: Job, worker: Worker) -> None:
        try:
            run = worker.begin(job.folder)
        except EngineCrashed:
            self._end(job, *_after_kill(job))
        except ProjectBusy:  # something else has just begun to render it
            self._end(job, Turn.WAITING, "")
        except RendererError as error:
            self._end(job, Turn.FAILED, str(error))
        else:
            self._say(f"begun on {worker.name}", job)
            self._follow(job, run)

    def _follow(self, job: Job, run: Run) -> None:
        """Wait until it has ended or is to make room, and write down what became of it."""
        begun, stopped = time.monotonic(), False
        frames = _frames(job) if self._slice else 0
        while not run.has_ended():
            if not stopped and self._is_to_stop(job, begun, frames):
                stopped = True
                run.stop()
        self._end(job, *self._outcome(job, stopped, run.code))

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
            return Turn.HELD, "stopped before its end; `zoomtui queue release` lets it go on"
        return _after_kill(job)

    def _end(self, job: Job, turn: Turn, why: str) -> None:
        """Write it down, unless the user has taken the job out, or holds it, meanwhile."""
        with self._choosing:
            wished = self._queue.turn(job.folder)
            if turn is Turn.WAITING and wished is Turn.HELD:
                turn = Turn.HELD
            place = time.time() if turn is Turn.WAITING and self._slice else job.place
            killed = job.killed + 1 if why == _KILLED else 0
            self._queue.update(job, turn=turn, why=why, place=place, killed=killed, device="")
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


def _frames(job: Job) -> int:
    with suppress(RendererError):  # what is wrong with it is said once it has ended
        return read_status(job.folder).frames
    return 0
