"""The workers of a farm, an actor on each device of each node, as its queue sees them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, RayActorError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from renderer import __version__
from renderer.errors import ProjectBusy, StorageError, error_of
from renderer.farm.cluster import one_line
from renderer.farm.relay import Relay
from renderer.farm.worker import Worker
from renderer.files import replace_file
from renderer.project.lease import SECONDS
from renderer.service.signals import GLANCE

_LOOK_INTERVAL = 2.0
"""Seconds between two looks for nodes that have come or gone."""
_PROBE = ".probe"
_VIEWERS = "viewers"
"""Calls for them wait for one another alone."""


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


class Workers:
    """Those of all nodes, made where a node has come."""

    def __init__(self, wishes: Wishes, say: Callable[[str], None]) -> None:
        self._wishes = wishes
        self._say = say
        self._known: dict[str, RemoteWorker] = {}
        self._asked: dict[str, tuple[Any, Any]] = {}
        """Actors that are just beginning: each, and what its greeting will be."""
        self._refused: set[str] = set()
        self._troubled: set[str] = set()
        """Could not be begun, which is said once; they are tried again."""
        self._looked = 0.0
        self._looking = threading.Lock()

    def there(self) -> Sequence[RemoteWorker]:
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
        made = named_actor(Worker, name, {"gpu": gpu, "lease": lease}, max_concurrency=8, **needs)
        probe = Path(self._wishes.folder) / _PROBE
        replace_file(probe, b"", durable=False)
        return made, made.greet.remote(self._wishes.version, str(probe))

    def _admit(self, name: str, actor: Any, answer: Any) -> None:
        try:
            why = ray.get(answer)
        except RayError as error:  # it is begun again if its node is still there
            why = one_line(error)
            if name in self._troubled:
                return
            self._troubled.add(name)
        else:
            if not why:
                self._known[name] = RemoteWorker(name, actor)
                return
            self._refused.add(name)
            _end(actor)
        self._say(f"{name} is not used: {why}")


class RemoteWorker:
    """A worker, as the queue's runner sees it."""

    def __init__(self, name: str, actor: Any) -> None:
        self.name = name
        self.actor = actor
        self.there = True

    def begin(self, folder: Path) -> RemoteRun:
        try:
            code, why = self.ask("begin", str(folder))
        except OSError:
            code, why = -1, "it does not answer"
        if code < 0:
            self.there = False
            raise ProjectBusy(f"{why} (on {self.name})")
        if why:
            raise error_of(code, f"{why} (on {self.name})")
        return RemoteRun(folder, self)

    def find(self, folder: Path) -> RemoteRun | None:
        with suppress(OSError):
            if self.ask("renders") == str(folder):
                self.ask("hang_up")  # of those who came by an earlier relay
                return RemoteRun(folder, self)
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


class RemoteRun:
    """A render that a worker makes; viewers find it on this machine as well."""

    def __init__(self, folder: Path, worker: RemoteWorker) -> None:
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

    def __init__(self, worker: RemoteWorker) -> None:
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


def named_actor(kind: type[Any], name: str, arguments: dict[str, Any], **options: Any) -> Any:
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
