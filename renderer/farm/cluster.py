"""A farm on a Ray cluster: an actor for the queue, and one on each device of each node.

The only module that knows Ray. All that crosses it is small: which project is to be rendered, how
it ended, and the lines between viewers and engines; pictures, films and models never do. The
queue's actor holds nothing that its folder, the projects and the workers don't know: Ray starts it
again where it dies, and it finds the renders that are at work.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import (
    ActorUnavailableError,
    AuthenticationError,
    RayActorError,
    RayError,
)
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from renderer import __version__
from renderer.errors import (
    ProjectBusy,
    ProjectError,
    RendererError,
    SettingsError,
    StorageError,
    error_of,
)
from renderer.farm.relay import Relay
from renderer.farm.worker import Worker
from renderer.files import replace_file
from renderer.machine import is_loopback
from renderer.project.lease import SECONDS
from renderer.queue.jobs import Queue
from renderer.queue.runner import Runner
from renderer.service.signals import GLANCE

_QUEUE = "queue"
"""The name of its actor."""
_LOOK_INTERVAL = 2.0
"""Seconds between two looks for nodes that have come or gone."""
_PROBE = ".probe"
_VIEWERS = "viewers"
"""Calls for them wait for one another alone."""
_UNSAFE = (
    "the Ray cluster at {address} lets anyone who reaches it run code: start Ray on every machine "
    "with RAY_AUTH_MODE=token, and the token that `ray get-auth-token --generate` makes"
)


@dataclass(frozen=True)
class Wishes:
    """For a farm."""

    folder: str
    """The queue's, as every node sees it."""
    engines: int = 0
    """On the processors of each node; 0: on GPUs, one on each."""
    until_empty: bool = False
    slice_seconds: float = 0.0
    lease: float = SECONDS
    environment: tuple[tuple[str, str], ...] = ()
    """Where the user's renders are listed, on this machine."""
    version: str = __version__


# ------------------------------------------------------------------------- what verbs call


def connect(address: str) -> None:
    """To the cluster at ``address``: HOST:PORT, ``auto`` for the one that runs on this machine, or
    ``local`` for one that is begun here and ends with this process.

    Raises SettingsError where there is none, or it is open to others.
    """
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        quiet["include_dashboard"] = False
    try:
        ray.init(address, namespace="zoomtui", **quiet)
    except AuthenticationError:
        raise SettingsError(_UNSAFE.format(address=address)) from None
    except (ConnectionError, RuntimeError, ValueError, RayError) as error:
        raise SettingsError(f"no Ray cluster can be used at {address}: {_line(error)}") from None
    found = ray.get_runtime_context().gcs_address
    if (
        not is_loopback(found.rpartition(":")[0])
        and _on_a_node(os.environ.get, "RAY_AUTH_MODE") != "token"
    ):
        raise SettingsError(_UNSAFE.format(address=found))


def start(wishes: Wishes) -> Any:
    """The queue's actor on this machine, begun, or as it is at work.

    Raises SettingsError where no node has a GPU, ProjectBusy where it is at work on another queue.
    """
    if not wishes.engines and not ray.cluster_resources().get("GPU"):
        raise SettingsError(
            "no node of the cluster has a GPU; --workers cpu:1 paints on processors"
        )
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    more = {"scheduling_strategy": here, "max_restarts": -1, "max_concurrency": 16}
    farm = _actor(Farm, _QUEUE, {"wishes": wishes}, num_cpus=0, **more)
    folder = ray.get(farm.folder.remote())
    if folder != wishes.folder:
        raise ProjectBusy(f"the farm is at work on the queue {folder}; `zoomtui farm stop` ends it")
    return farm


def running() -> Any:
    """The queue's actor. Raises ProjectError where none is at work."""
    try:
        return ray.get_actor(_QUEUE)
    except ValueError:
        raise ProjectError("no farm is at work; `zoomtui farm start` begins one") from None


def follow(
    farm: Any, show: Callable[[str], None], signals: Sequence[int], *, stop: bool = False
) -> int:
    """Show what happens until the farm's end; the exit code. Raises RendererError.

    Once there are ``signals``, or with ``stop`` at once, all renders end after the segments in
    hand, and then the farm.
    """
    shown = 0
    while True:
        try:
            if signals or stop:
                farm.stop.remote()
            lines, over = ray.get(farm.news.remote(shown, GLANCE))
        except RayActorError:  # it is being restarted, and tells anew; or another has ended it
            shown = 0
            try:
                farm = running()
            except ProjectError:
                return 128 + signals[0] if signals else 0
            time.sleep(GLANCE)
            continue
        shown += len(lines)
        for line in lines:
            show(line)
        if over is not None:
            ray.kill(farm)
            code, why = over
            if why:
                raise error_of(code, why)
            return 128 + signals[0] if signals else int(code)


def rows(farm: Any) -> list[tuple[str, str]]:
    """(worker, the project that it renders; empty: none)."""
    found: list[tuple[str, str]] = ray.get(farm.rows.remote())
    return found


# --------------------------------------------------------------------------- the queue's actor


class Farm:
    """Runs the queue on the cluster's workers, on threads of its own, from construction on."""

    def __init__(self, wishes: Wishes) -> None:
        os.environ.update(wishes.environment)
        self._folder = wishes.folder
        self._workers = _Workers(wishes, self._say)
        self._lines: list[str] = []
        self._over: tuple[int, str] | None = None
        self._runner = Runner(
            Queue(Path(wishes.folder)),
            self._workers.there,
            lambda what, job: self._say(f"{job.project}: {what}"),
            until_empty=wishes.until_empty,
            slice_seconds=wishes.slice_seconds,
        )
        self._thread = threading.Thread(target=self._run, name="farm")
        self._thread.start()

    def _run(self) -> None:
        over = RendererError.exit_code, "internal error: Ray's logs have the details"
        try:
            over = self._runner.serve(), ""
        except RendererError as error:
            over = error.exit_code, str(error)
        finally:
            self._workers.dismiss()
            self._over = over

    def _say(self, line: str) -> None:
        self._lines.append(line)

    def news(self, since: int, seconds: float) -> tuple[list[str], tuple[int, str] | None]:
        """The lines after ``since``, and how it has ended; None: not yet, after so long."""
        self._thread.join(seconds)
        over = self._over
        return self._lines[since:], over

    def folder(self) -> str:
        return self._folder

    def stop(self) -> None:
        self._runner.stop()

    def rows(self) -> list[tuple[str, str]]:
        return [(worker.name, worker.renders()) for worker in self._workers.there()]


class _Workers:
    """Those of all nodes, made where a node has come."""

    def __init__(self, wishes: Wishes, say: Callable[[str], None]) -> None:
        self._wishes = wishes
        self._say = say
        self._known: dict[str, _RemoteWorker] = {}
        self._asked: dict[str, tuple[Any, Any]] = {}
        """Actors that are just beginning: each, and what its greeting will be."""
        self._refused: set[str] = set()
        self._troubled: set[str] = set()
        """Could not be begun, which is said once; they are tried again."""
        self._looked = 0.0
        self._looking = threading.Lock()

    def there(self) -> Sequence[_RemoteWorker]:
        """Those that can be given jobs."""
        with self._looking:
            if time.monotonic() - self._looked > _LOOK_INTERVAL:
                self._looked = time.monotonic()
                self._look()
            for name, (actor, answer) in list(self._asked.items()):
                if ray.wait([answer], timeout=0)[0]:
                    del self._asked[name]
                    self._admit(name, actor, answer)
            return [worker for worker in self._known.values() if worker.there]

    def dismiss(self) -> None:
        """Let all of them end; those that render finish the segment in hand."""
        with self._looking:
            for worker in self._known.values():
                _end(worker.actor)
            for actor, _ in self._asked.values():
                ray.kill(actor)

    def _look(self) -> None:
        """Begin with the workers of nodes that have come; those that have gone are forgotten."""
        nodes = [node for node in ray.nodes() if node["Alive"]]
        names = {name: node["NodeID"] for node in nodes for name in self._names(node)}
        for known in (self._known, self._asked):
            for name in known.keys() - names.keys():
                del known[name]
        for name, node in names.items():
            known_one = self._known.get(name)
            new = known_one is None or not known_one.there
            if new and name not in self._asked and name not in self._refused:
                self._asked[name] = self._begin(name, node)

    def _names(self, node: dict[str, Any]) -> list[str]:
        kind = "CPU" if self._wishes.engines else "GPU"
        count = int(node["Resources"].get(kind, 0))
        if self._wishes.engines:
            count = min(count, self._wishes.engines)
        host = f"{node['NodeManagerHostname']}-{node['NodeID'][:4]}"  # one may have several nodes
        return [f"{host} {kind} {number}" for number in range(count)]

    def _begin(self, name: str, node: str) -> tuple[Any, Any]:
        gpu = not self._wishes.engines
        needs: dict[str, Any] = {"num_gpus": 1, "num_cpus": 0} if gpu else {"num_cpus": 1}
        needs["scheduling_strategy"] = NodeAffinitySchedulingStrategy(node, soft=False)
        lease = self._wishes.lease
        actor = _actor(Worker, name, {"gpu": gpu, "lease": lease}, max_concurrency=8, **needs)
        probe = Path(self._wishes.folder) / _PROBE
        replace_file(probe, b"", durable=False)
        return actor, actor.greet.remote(self._wishes.version, str(probe))

    def _admit(self, name: str, actor: Any, answer: Any) -> None:
        try:
            why = ray.get(answer)
        except RayError as error:  # it is begun again if its node is still there
            why = _line(error)
            if name in self._troubled:
                return
            self._troubled.add(name)
        else:
            if not why:
                self._known[name] = _RemoteWorker(name, actor)
                return
            self._refused.add(name)
            _end(actor)
        self._say(f"{name} is not used: {why}")


class _RemoteWorker:
    """A worker, as the queue's runner sees it."""

    def __init__(self, name: str, actor: Any) -> None:
        self.name = name
        self.actor = actor
        self.there = True

    def begin(self, folder: Path) -> _RemoteRun:
        try:
            code, why = self.ask("begin", str(folder))
        except OSError:
            code, why = -1, "it does not answer"
        if code < 0:
            self.there = False
            raise ProjectBusy(f"{why} (on {self.name})")
        if why:
            raise error_of(code, f"{why} (on {self.name})")
        return _RemoteRun(folder, self)

    def find(self, folder: Path) -> _RemoteRun | None:
        with suppress(OSError):
            if self.ask("renders") == str(folder):
                self.ask("hang_up")  # of those who came by an earlier relay
                return _RemoteRun(folder, self)
        return None

    def renders(self) -> str:
        with suppress(OSError):
            return str(self.ask("renders"))
        return ""

    def ask(self, method: str, *details: Any, group: str | None = None) -> Any:
        """Raises ConnectionError where it has gone, TimeoutError where that is not certain."""
        call = getattr(self.actor, method)
        try:
            asked = call.options(concurrency_group=group) if group else call
            return ray.get(asked.remote(*details))
        except ActorUnavailableError:
            raise TimeoutError from None
        except RayActorError:
            self.there = False
            raise ConnectionError from None


class _RemoteRun:
    """A render that a worker makes; viewers find it on this machine as well."""

    def __init__(self, folder: Path, worker: _RemoteWorker) -> None:
        self.code: int | None = None
        self._project = str(folder)
        self._worker = worker
        self._relay: Relay | None = None
        with suppress(StorageError):  # a render can do without viewers
            self._relay = Relay(folder, _Line(worker))

    def has_ended(self) -> bool:
        try:
            code = self._worker.ask("wait", self._project, GLANCE)
        except TimeoutError:
            time.sleep(GLANCE)
            return False
        except ConnectionError:
            code = -1
        if code is None:
            return False
        self.code = code if 0 <= code < 128 else None  # stopped there by a signal: it goes on
        if self._relay is not None:
            self._relay.end()
        return True

    def stop(self) -> None:
        with suppress(OSError):
            self._worker.ask("stop")


class _Line:
    """A relay's, through Ray."""

    def __init__(self, worker: _RemoteWorker) -> None:
        self._worker = worker

    def connect(self, viewer: int, project: str) -> bool:
        return bool(self._ask("connect", viewer, project))

    def read(self, viewer: int, seconds: float) -> bytes | None:
        said: bytes | None = self._ask("read", viewer, seconds)
        return said

    def write(self, viewer: int, data: bytes) -> None:
        self._ask("write", viewer, data)

    def hang_up(self, viewer: int) -> None:
        self._ask("hang_up", viewer)

    def _ask(self, method: str, *details: Any) -> Any:
        return self._worker.ask(method, *details, group=_VIEWERS)


# ---------------------------------------------------------------------------------------- Ray


def _actor(kind: type[Any], name: str, arguments: dict[str, Any], **options: Any) -> Any:
    """The actor of that name, made if need be; it outlives this process."""
    remote: Any = ray.remote
    made = remote(concurrency_groups={_VIEWERS: 64})(kind)
    return made.options(name=name, lifetime="detached", get_if_exists=True, **options).remote(
        **arguments
    )


def _end(worker: Any) -> None:
    """A worker's actor, and its render after the segment in hand."""
    with suppress(RayError):
        ray.get(worker.leave.remote())
    ray.kill(worker)


def _on_a_node(what: Callable[..., Any], *details: Any) -> Any:
    """What ``what`` returns on some node."""
    return ray.get(ray.remote(num_cpus=0)(lambda: what(*details)).remote())


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
