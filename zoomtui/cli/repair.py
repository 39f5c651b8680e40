"""`verify` and `repair`: is a project as it was written, and what can be saved if it is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from renderer.errors import ProjectError
from renderer.formatting import clean, path_text
from zoomtui.cli.progress_bar import bytes_read, progress
from zoomtui.cli.verb import project_verb
from zoomtui.stdio import answer, answer_json, write_line

if TYPE_CHECKING:
    from renderer.project.verify import Problem


@project_verb(
    "Check every byte of a project.",
    "verify coral.zoom",
    "verify coral.zoom --deep",
    "verify coral.zoom --json | jq -r '.problems[]'",
    notes="Exit code 3 if anything is wrong. A project may be rendered meanwhile.",
)
@click.option("--deep", is_flag=True, help="Decode every frame and every picture as well.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
def verify(project: Path, deep: bool, as_json: bool) -> int:
    """Compare the film and all keyframes of PROJECT with their checksums. Reads only."""
    from renderer.film.decode import decoded_frames
    from renderer.project.verify import verify as find_problems

    decode = decoded_frames if deep else None
    if as_json:
        problems = find_problems(project, lambda _done, _total: None, decode=decode)
        said = {"project": str(project), "problems": [problem.what for problem in problems]}
        answer_json(said)
        return ProjectError.exit_code if problems else 0
    with progress(f"verifying {project}", bytes_read) as on_bytes:
        problems = find_problems(project, on_bytes, decode=decode)
    for problem in problems:
        answer(clean(problem.what))
    if not problems:
        answer(f"{path_text(project)} is as it was written")
        return 0
    for line in _remedies(path_text(project), problems):
        answer(line)
    return ProjectError.exit_code


def _remedies(project: str, problems: Sequence[Problem]) -> Iterator[str]:
    verbs = {problem.remedy for problem in problems}
    if "repair" in verbs:
        yield f"`zoomtui repair {project}` shows what can be saved"
    if "rewind" in verbs:
        first = min(each.keyframe for each in problems if each.remedy == "rewind") + 1
        yield f"`zoomtui rewind {project} {first}` and `zoomtui resume {project}` paint it anew"
    if "prune" in verbs:
        yield f"`zoomtui prune {project}` deletes the takes that are not in the film"


@project_verb(
    "Save what can be saved of a damaged project.",
    "repair coral.zoom",
    "repair coral.zoom --yes",
    notes="What is taken away is kept in a folder damaged-… inside the project. Segments "
    "that the film loses are made again from the keyframes by `zoomtui resume`.",
)
@click.option("--yes", is_flag=True, help="Do it; otherwise only say what would be done.")
def repair(project: Path, yes: bool) -> int:
    """Say what is wrong with PROJECT and what can be saved of it; with --yes, do it.

    The journal is written again, out of the records that can be read, the film's own segments, and
    what the keyframes' files say of themselves.
    """
    from renderer.project.repair import damage, find_rescue
    from renderer.project.repair import repair as carry_out

    wrong = damage(project)
    with progress(f"looking at {project}", bytes_read) as on_bytes:
        rescue = find_rescue(project, on_bytes)
    if not wrong and not rescue.loses:
        write_line(f"film and journal of {path_text(project)} need no repair")
        return 0
    for line in filter(None, (wrong, *rescue.lines)):
        write_line(clean(line))
    if not yes:
        write_line(f"nothing was changed; `zoomtui repair {path_text(project)} --yes` does it")
        return ProjectError.exit_code
    write_line(f"kept       {path_text(carry_out(project, rescue))}")
    write_line(f"go on      zoomtui resume {path_text(project)}")
    return 0
