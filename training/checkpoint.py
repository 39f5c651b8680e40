"""Checkpoints in safetensors: all that a stage needs to go on, in one file, written whole or not.

``python -m training.checkpoint export RUN FOLDER`` writes the slim form, to take the run to another
machine: averages only, what makes pictures in 16 and the rest in 8 bits, in files of at most
15 MiB. ``import FOLDER RUN`` makes checkpoints of it whose optimizers begin anew.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from training.averages import Average

SHARD = 15 * 2**20
"""Largest file of weights, bytes."""
_ENDING = ".safetensors"
_STATE = "state"
_FINE = ("autoencoder", "decoder")
"""Stages that 8 bits would cost sharpness."""

Part = torch.nn.Module | torch.optim.Optimizer | Average


def write(path: Path, parts: Mapping[str, Part], state: Mapping[str, Any]) -> None:
    """Save the parts' tensors by name, and ``state``: plain values, with JSON's types."""
    tensors = {
        f"{name}/{key}": value.detach().cpu().contiguous()
        for name, part in parts.items()
        for key, value in _tensors(part)
    }
    write_tensors(path, tensors, state)


def read(path: Path, parts: Mapping[str, Part]) -> dict[str, Any]:
    """Put what ``write`` saved into the parts; returns the state.

    Parts that the file does not hold stay as they are: ``state["parts"]`` lists what it holds.
    Raises ValueError if the file was made by a model of another shape.
    """
    tensors, state = read_tensors(path)
    groups: dict[str, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        name, _, rest = key.partition("/")
        groups.setdefault(name, {})[rest] = value
    for name, part in parts.items():
        if name in groups:
            try:
                _fill(part, groups[name])
            except (RuntimeError, ValueError, KeyError) as error:
                raise ValueError(f"{path} is of another model: {name}: {error}") from error
    return {**state, "parts": sorted(groups)}


def write_tensors(path: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """One safetensors file, renamed into place when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    save_file(dict(tensors), unfinished, metadata={_STATE: json.dumps(dict(state))})
    unfinished.replace(path)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of one file, on the CPU, and the state beside them."""
    with safe_open(path, framework="pt") as file:
        state: dict[str, Any] = json.loads((file.metadata() or {}).get(_STATE, "{}"))
        return {name: file.get_tensor(name) for name in file.keys()}, state  # noqa: SIM118


def _tensors(part: Part) -> Iterator[tuple[str, Tensor]]:
    if isinstance(part, torch.optim.Optimizer):
        for number, values in part.state_dict()["state"].items():
            yield from ((f"{number}/{key}", value) for key, value in values.items())
    else:
        yield from _module(part).state_dict().items()


def _fill(part: Part, tensors: Mapping[str, Tensor]) -> None:
    if not isinstance(part, torch.optim.Optimizer):
        _module(part).load_state_dict(dict(tensors))
        return
    values: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition("/")
        values.setdefault(int(number), {})[name] = value
    groups = part.state_dict()["param_groups"]
    part.load_state_dict({"state": values, "param_groups": groups})


def _module(part: torch.nn.Module | Average) -> torch.nn.Module:
    return part.model if isinstance(part, Average) else part


def export(run: Path, folder: Path) -> list[Path]:
    """Write the slim form of all checkpoints in ``run``; returns the files."""
    tensors: dict[str, Tensor] = {}
    states: dict[str, Any] = {}
    for path in sorted(run.glob(f"*{_ENDING}")):
        whole, states[path.stem] = read_tensors(path)
        for key, value in whole.items():
            name, _, rest = key.partition("/")
            if name.startswith("average"):
                packed = _half(value) if path.stem in _FINE else _eighth(value)
                for kind, tensor in packed.items():
                    tensors[f"{path.stem}/{name}/{kind}/{rest}"] = tensor
    files = []
    for number, shard in enumerate(_shards(tensors), start=1):
        files.append(folder / f"slim-{number}{_ENDING}")
        write_tensors(files[-1], shard, states)
    return files


def restore(folder: Path, run: Path) -> list[Path]:
    """Make checkpoints in ``run`` of the slim form in ``folder``; returns the files."""
    stages: dict[str, dict[str, dict[str, Tensor]]] = {}
    states: dict[str, Any] = {}
    for path in sorted(folder.glob(f"slim-*{_ENDING}")):
        tensors, states = read_tensors(path)
        for key, value in tensors.items():
            stage, name, kind, rest = key.split("/", 3)
            stages.setdefault(stage, {}).setdefault(f"{name}/{rest}", {})[kind] = value
    files = []
    for stage, packed in stages.items():
        averages = {key: _unpacked(kinds) for key, kinds in packed.items()}
        # The model goes on from its average.
        models = {key.replace("average-", "", 1): value.clone() for key, value in averages.items()}
        state = {**states[stage], "fresh_since": states[stage]["step"]}
        files.append(run / f"{stage}{_ENDING}")
        write_tensors(files[-1], {**averages, **models}, state)
    return files


def _half(value: Tensor) -> dict[str, Tensor]:
    return {"half": value.half() if value.is_floating_point() else value}


def _eighth(value: Tensor) -> dict[str, Tensor]:
    """Weights in 8 bits with one scale for each output; vectors as they are, they are small."""
    if value.dim() < 2:
        return _half(value)
    scale = value.flatten(1).abs().amax(1).clamp(min=1e-12) / 127
    whole = (value / scale.view(-1, *[1] * (value.dim() - 1))).round().to(torch.int8)
    return {"eighth": whole, "scale": scale}


def _unpacked(kinds: Mapping[str, Tensor]) -> Tensor:
    if "half" in kinds:
        value = kinds["half"]
        return value.float() if value.is_floating_point() else value
    value, scale = kinds["eighth"].float(), kinds["scale"]
    return value * scale.view(-1, *[1] * (value.dim() - 1))


def _shards(tensors: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """In order, each as full as may be."""
    shard: dict[str, Tensor] = {}
    size = 2**18  # the header
    for key, value in tensors.items():
        bytes_ = value.numel() * value.element_size()
        if shard and size + bytes_ > SHARD:
            yield shard
            shard, size = {}, 2**18
        shard[key] = value
        size += bytes_
    if shard:
        yield shard


def main() -> int:
    """Take a run along in its slim form."""
    parser = argparse.ArgumentParser(prog="python -m training.checkpoint", description=main.__doc__)
    parser.add_argument("verb", choices=("export", "import"))
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    act = export if options.verb == "export" else restore
    files = act(options.source, options.target)
    for file in files:
        print(f"{file}  {file.stat().st_size / 2**20:.1f} MiB")
    if not files:
        print(f"{options.source} holds nothing to {options.verb}", file=sys.stderr)
    return 0 if files else 1


if __name__ == "__main__":
    sys.exit(main())
