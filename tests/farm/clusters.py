"""A Ray cluster of several nodes on this machine, in a process of its own that a test talks to."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from tests.cli.processes import ROOT

SMALL = {"object_store_memory": 80_000_000, "include_dashboard": False}

_PROGRAM = """
import json, logging, sys
from ray.cluster_utils import Cluster
nodes, small = map(json.loads, sys.argv[1:])
cluster = Cluster(initialize_head=True, head_node_args={**small, **nodes[0]})
others = [cluster.add_node(wait=False, **small, **node) for node in nodes[1:]]
cluster.wait_for_nodes(120)
print(cluster.address, flush=True)
for line in sys.stdin:
    name, *details = line.split()
    if name == "kill":
        cluster.remove_node(others.pop(int(details[0])), allow_graceful=False)
    elif name == "add":
        others.append(cluster.add_node(wait=False, **small, **json.loads(details[0])))
        cluster.wait_for_nodes(120)
    print("done", flush=True)
cluster.shutdown()
"""


class Nodes:
    """Of one cluster, the first its head; all are gone when the block ends.

    ``environment``: for every process that is to reach it.
    """

    def __init__(self, folder: Path, nodes: Sequence[dict[str, Any]], **more: str) -> None:
        token = folder / "token"
        token.write_text(secrets.token_hex(32))
        self.environment = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "RAY_USAGE_STATS_ENABLED": "0",
            **more,
        }
        with (folder / "errors").open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, json.dumps(list(nodes)), json.dumps(SMALL)],
                cwd=ROOT,
                env={"PYTHONPATH": str(ROOT), **os.environ, **self.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.address = self._answer()
        assert self.address, (folder / "errors").read_text()

    def kill(self, node: int) -> None:
        """End a node that is not the head (from 0), with all that runs there, as a power cut."""
        self._tell(f"kill {node}")

    def add(self, **node: Any) -> None:
        self._tell("add " + json.dumps(node, separators=(",", ":")))

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        assert self._answer() == "done"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
