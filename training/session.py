"""A session on a rented GPU, in slices of a few minutes: each slice is one short command.

python3 -m training.session 1 PACK RUN OUT --wheels WHEELS

Slice 1 trains the autoencoder and begins with the UNet, 2 goes on with it, 3 trains the decoder
once more, ends the UNet, distils it and makes the folder that is shipped; 4 only brings back the
folder without distillation. Every slice ends before ``--minutes`` are over, and leaves in OUT what
is worth bringing back as soon as it is there: checkpoints in their slim form, sheets, figures, the
folder in pieces of 15 MiB.

A stage that fails is tried once more with half of its batches; whatever fails, the rest is done.
Knows commands and times, nothing of training: stages are processes of their own. So it needs the
standard library only, and gives what WHEELS holds to those processes.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MINUTES = 8.2
PIECE = 15 * 2**20
"""Largest file that is brought back, bytes."""
_GRACE, _LAST_GRACE = 12.0, 10.0
"""Seconds after its end that a stage is asked to stop; and after that, until it is killed."""
_FINISH = 60.0
"""Seconds after a slice's end that bringing back what it made may take."""
_WORTH_A_TRY = 25.0
"""Seconds left that are too few to begin anything with."""
FOLDER, GUIDED = "cosmos", "guided"


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of training, until this share of the slice."""

    name: str
    until: float
    part: str = "0:1"


@dataclass(frozen=True, slots=True)
class Save:
    """The pipeline's folder, of this name in RUN and, in pieces, in OUT."""

    name: str


@dataclass(frozen=True, slots=True)
class Export:
    """The slim form of all checkpoints, in OUT."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sheet by the product's own painter, until this share of the slice."""

    until: float


Task = Stage | Save | Export | Sample
SLICES: dict[int, tuple[Task, ...]] = {
    1: (
        Stage("autoencoder", 0.66),
        Export(),
        Stage("unet", 0.96, "0:0.16"),
        Export(),
    ),
    2: (Stage("unet", 0.96, "0.16:0.73"), Export()),
    3: (
        Stage("decoder", 0.08),
        Stage("unet", 0.5, "0.73:1"),
        Save(GUIDED),
        Stage("distill", 0.84),
        Save(FOLDER),
        Sample(0.97),
    ),
    4: (Save(GUIDED),),
}
"""At full length stage 2 so gets some 14 minutes; parts are shares of those."""


@dataclass(slots=True)
class Session:
    """One slice under way."""

    pack: Path
    run: Path
    out: Path
    sizes: str
    ends: float
    """Unix time of the slice's end."""
    length: float
    """Seconds of the whole slice."""
    environment: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def do(self, tasks: tuple[Task, ...]) -> bool:
        """All of them, one after another; True if none failed."""
        self.run.mkdir(parents=True, exist_ok=True)
        self.out.mkdir(parents=True, exist_ok=True)
        for task in tasks:
            if isinstance(task, Stage):
                self._train(task)
            elif isinstance(task, Save):
                self._save(task)
            elif isinstance(task, Export):
                self._call("checkpoint", "export", self.run, self.out)
            else:
                self._sample(task)
            show(self.run, self.out, self.ends - self.length)
        return not self.failed

    def _train(self, stage: Stage) -> None:
        until = self._time(stage.until)
        given = ["--until", f"{until:.1f}", "--part", stage.part, "--sizes", self.sizes]
        for batch in ("1", "0.5"):
            if until - time.time() < min(_WORTH_A_TRY, 0.1 * self.length):
                self.failed.append(f"{stage.name}: no time left")
                return
            more = [*given, "--batch", batch]
            if self._call(stage.name, self.pack, self.run, *more, until=until + _GRACE):
                return

    def _save(self, save: Save) -> None:
        more = ["--undistilled"] if save.name == GUIDED else []
        folder = self.run / save.name
        if save.name == FOLDER and not (self.run / "distilled.safetensors").exists():
            self.failed.append("save: nothing was distilled")
        elif self._call("save", self.run, folder, "--sizes", self.sizes, *more):
            for old in self.out.glob("*.tar.*"):
                old.unlink()
            bring(folder, self.out)

    def _sample(self, sample: Sample) -> None:
        """The folder's sheet, if there is time for it: it can be made elsewhere."""
        until = self._time(sample.until)
        newest = next((n for n in (FOLDER, GUIDED) if (self.run / n).exists()), None)
        if newest and until - time.time() > _WORTH_A_TRY:
            sheet = self.out / f"{newest}.png"
            self._call("sample", self.run / newest, sheet, "--keyframes", 8, until=until)

    def _time(self, share: float) -> float:
        return self.ends - (1 - share) * self.length

    def _call(self, module: str, *arguments: object, until: float | None = None) -> bool:
        """Run one of the programs beside this one; True if it went well in time."""
        command = [sys.executable, "-m", f"training.{module}", *map(str, arguments)]
        print(f"[{self.ends - time.time():5.0f} s left] {' '.join(command[2:])}", flush=True)
        code = call(command, until or self.ends + _FINISH, {**os.environ, **self.environment})
        if code:
            self.failed.append(f"{module}: exit code {code}")
        return code == 0


def call(command: list[str], until: float, environment: dict[str, str]) -> int:
    """Run a command until it ends, or is told to at Unix time ``until``; its exit code."""
    process = subprocess.Popen(command, env=environment)
    try:
        return process.wait(max(0.0, until - time.time()))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(_LAST_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def show(run: Path, out: Path, since: float) -> None:
    """Copy the sheets made since that Unix time, and all figures into one file."""
    for sheet in sorted(run.glob("*.png")):
        if sheet.stat().st_mtime >= since:
            shutil.copy(sheet, out)
    lines = [
        f"{file.stem} {line}\n"
        for file in sorted(run.glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    (out / "figures.txt").write_text("".join(lines), encoding="utf-8")


def bring(folder: Path, out: Path) -> list[Path]:
    """Write the folder into ``out`` as pieces of one tar: ``cat NAME.tar.* | tar -xf -``."""
    files = []
    for number, piece in enumerate(_pieces(folder)):
        files.append(out / f"{folder.name}.tar.{number:02d}")
        files[-1].write_bytes(piece)
    return files


def _pieces(folder: Path) -> Iterator[bytes]:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        tar.add(folder, arcname=folder.name)
    whole.seek(0)
    while piece := whole.read(PIECE):
        yield piece


def install(wheels: Path, site: Path) -> dict[str, str]:
    """Unpack wheels once, beside all that is installed; what a process must know to find them."""
    if not site.exists():
        unfinished = site.with_name(site.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps"]
        files = sorted(map(str, wheels.glob("*.whl")))
        subprocess.run([*command, "--target", str(unfinished), *files], check=True)
        unfinished.replace(site)
    before = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": f"{site}{os.pathsep}{before}" if before else str(site)}


def main() -> int:
    """Do one slice."""
    parser = argparse.ArgumentParser(prog="python -m training.session", description=__doc__)
    parser.add_argument("slice", type=int, choices=sorted(SLICES))
    parser.add_argument("pack", type=Path)
    parser.add_argument("run", type=Path, help="outlasts the slices, outside of the checkout")
    parser.add_argument("out", type=Path, help="what is brought back")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--sizes", default="full")
    parser.add_argument("--wheels", type=Path, help="folder of packages that are missing here")
    given = parser.parse_args()
    length = 60 * given.minutes
    session = Session(
        given.pack, given.run, given.out, given.sizes, ends=time.time() + length, length=length
    )
    # What the product's painter compiles is worth it over films, not over a sheet.
    session.environment |= {"PYTHONUNBUFFERED": "1", "TORCHDYNAMO_DISABLE": "1"}
    if given.wheels:
        site = given.run.with_name(given.run.name + "-site")
        session.environment |= install(given.wheels, site)
    good = session.do(SLICES[given.slice])
    for failure in session.failed:
        print(f"failed: {failure}", file=sys.stderr)
    for file in sorted(given.out.iterdir()):
        print(f"{file.name}  {file.stat().st_size / 2**20:.1f} MiB")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
