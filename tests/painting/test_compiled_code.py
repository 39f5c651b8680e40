"""What torch compiles is kept in the user's cache, so a restart or a resume finds it again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMPILE = """
import os
from renderer.painting.painters.diffusion.library_logs import prepare_environment
prepare_environment()
import torch
from torch._dynamo.utils import counters
from renderer.painting.painters.diffusion.compiling import Compiled
from tests.painting.tiny import tiny_sd
unet = tiny_sd().unet
block = unet.mid_block.resnets[0]
unet._repeated_blocks = []
compiled = Compiled(block, "blocks")
with torch.no_grad():
    block(torch.zeros(2, 64, 8, 8), torch.zeros(2, 128))
print(os.environ["TORCHINDUCTOR_CACHE_DIR"], counters["inductor"]["fxgraph_cache_hit"])
"""


def compile_once(caches: Path) -> tuple[str, int]:
    """(where the code is kept, how much of it was there already)."""
    clean = {name: value for name, value in os.environ.items() if "INDUCTOR" not in name}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", COMPILE],
        env={**clean, "XDG_CACHE_HOME": str(caches)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    folder, hits = done.stdout.split()
    return folder, int(hits)


@pytest.mark.soak
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch needs a compiler on a CPU")
def test_a_new_process_finds_what_the_last_one_compiled(tmp_path: Path) -> None:
    folder = str(tmp_path / "zoomtui/torchinductor")
    assert compile_once(tmp_path) == (folder, 0)
    assert compile_once(tmp_path) == (folder, 1)
