"""From a run's checkpoints to the folder that is shipped: an ordinary diffusers pipeline, float16.

python -m training.save RUN FOLDER

``StableDiffusionInpaintPipeline.from_pretrained(FOLDER)`` loads it. Beside the pipeline lies
``zoomtui.json``, with the settings that suit it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from diffusers import StableDiffusionInpaintPipeline
from diffusers.utils.logging import disable_progress_bar

from renderer.settings.cosmos import CARD
from training import checkpoint, decoder, distill, unet
from training.clock import Clock
from training.models import ALL, FULL, PADDING, Sizes, build_scheduler
from training.running import Options

LICENCE = "CC BY 4.0"
_MOST = 60 * 10**6
"""What the weights may come to, bytes."""
_SHARD = "15MB"
CREDITS = Path(__file__).with_name("PICTURES.md")
"""Whose pictures the weights were made from."""


def save(run: Path, folder: Path, sizes: Sizes, *, distilled: bool = True) -> Path:
    """Write the pipeline of a run's averages; returns the folder.

    ``distilled``: take the distilled UNet if the run has one. Raises ValueError if the run lacks a
    stage, or the weights are larger than may be shipped.
    """
    options = Options(pack=run, run=run, clock=Clock(steps=0), sizes=sizes)
    painter = distill.read_trained(options)
    student = run / f"{distill.NAME}.safetensors"
    distilled = distilled and student.exists()
    if distilled:
        checkpoint.read(student, {"average-unet": painter.average_unet})
    make: Any = StableDiffusionInpaintPipeline
    pipeline = make(
        vae=decoder.finished(run, sizes),
        text_encoder=painter.average_text.model,
        tokenizer=painter.tokenizer,
        unet=painter.average_unet.model,
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        image_encoder=None,
        requires_safety_checker=False,
    )
    card = {
        "steps": distill.STEPS if distilled else unet.STEPS,
        "guidance_scale": 1.0 if distilled else unet.GUIDANCE,
        "padding": PADDING,
        "licence": LICENCE,
    }
    write(pipeline, folder, card)
    # Who passes the weights on passes the credits on: their licence asks for it.
    shutil.copy(CREDITS, folder)
    return folder


def write(pipeline: Any, folder: Path, card: dict[str, Any]) -> None:
    """Replace ``folder`` by the pipeline in float16, in files of at most 15 MB, and its card.

    Raises ValueError if the weights are too large, or ``folder`` holds something else than a model.
    """
    if folder.exists():
        if any(folder.iterdir()) and not (folder / "model_index.json").exists():
            raise ValueError(f"{folder} holds something else than a model; give another folder")
        shutil.rmtree(folder)
    for part in (pipeline.vae, pipeline.unet, pipeline.text_encoder):
        part.half()
    pipeline.save_pretrained(folder, max_shard_size=_SHARD)
    # Versions of transformers that know no tokenizer.json read these two.
    pipeline.tokenizer.backend_tokenizer.model.save(str(folder / "tokenizer"))
    text = json.dumps(card, indent=2) + "\n"
    (folder / CARD).write_text(text, encoding="utf-8")
    for file in folder.rglob("*.safetensors"):
        file.chmod(0o644)  # safetensors writes for its owner alone
    size = sum(file.stat().st_size for file in folder.rglob("*.safetensors"))
    if size > _MOST:
        raise ValueError(f"{folder} holds {size / 1e6:.1f} MB of weights, above {_MOST / 1e6:g} MB")


def main() -> int:
    """Write the folder that is shipped."""
    parser = argparse.ArgumentParser(prog="python -m training.save", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path, help="is replaced")
    parser.add_argument("--sizes", choices=sorted(ALL), default=FULL.name)
    parser.add_argument("--undistilled", action="store_true", help="leave stage 3 out")
    given = parser.parse_args()
    disable_progress_bar()
    try:
        save(given.run, given.folder, ALL[given.sizes], distilled=not given.undistilled)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    for file in sorted(given.folder.rglob("*.safetensors")):
        print(f"{file}  {file.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
