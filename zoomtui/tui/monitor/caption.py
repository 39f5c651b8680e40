"""What stands below the picture: which keyframe it is, and how that came out.

Views in, lines out; only ``read_figures`` opens a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from renderer.engine.preview import Preview
from renderer.formatting import clean, shortened
from renderer.painting.figures import Grade, figures_in, grade, texts
from zoomtui.tui.shared.styled_text import Line, Part, Role, cut, length, spaced
from zoomtui.viewing.view import View


def caption_line(shown: int, figures: Line, width: int, note: str = "") -> Line:
    """Under the picture: which keyframe, what the user noted about it, and how it came out."""
    if shown < 0:
        return ()
    noted: list[Part] = [("  ♦ ", ""), (clean(note), "quoted")] if note else []
    return cut([(f" Keyframe {shown + 1}", "strong"), *noted, ("  ", ""), *figures], width)


def unfinished_line(preview: Preview, width: int) -> Line:
    """Under a look at the keyframe in the making."""
    of = f"unfinished, step {preview.step} of {preview.steps}"
    return cut([(f" Keyframe {preview.keyframe + 1}", "strong"), (f"  {of}", "")], width)


_SHOWN = ("seconds", "seam", "drift", "residue")
"""Figures that stand beside a picture."""


_GRADES: Mapping[Grade | None, Role] = {None: "", "good": "", "fair": "warn", "poor": "bad"}
"""What a grade looks like; a word says it as well, but where all is good."""


def quality_line(view: View) -> Line:
    """Figures of the newest keyframe."""
    state = view.state
    if not state.figures:
        return ()
    shown = _SHOWN if state.keyframes > 1 else _SHOWN[:1]
    seed: list[Part] = [(f"seed {state.seed}", "")] if state.seed else []
    return spaced(_figure_parts(asdict(state.figures[-1]), shown) + seed, " · ")


def provenance_line(made: Mapping[str, Any]) -> Line:
    """Figures of an older keyframe, out of its file; the prompt last, as far as there is room."""
    found = {name: value for name, value in figures_in(made).items() if value}
    said = _figure_parts(found, _SHOWN)
    if isinstance(prompt := made.get("prompt"), str) and prompt:
        said.append((shortened(prompt, 60), "quoted"))
    return spaced(said, " · ")


def read_figures(path: Path) -> Line:
    """``provenance_line`` of the keyframe in that file. Blocking."""
    from renderer.images import FAULTS, read_provenance  # loads Pillow

    try:
        return provenance_line(read_provenance(path))
    except FileNotFoundError:
        return (("its picture is not there any more", "faint"),)
    except FAULTS:
        return (("its file can't be read", "bad"),)


def _figure_parts(figures: Mapping[str, float], names: Sequence[str]) -> list[Part]:
    """Each of the named figures that are there, with its grade where that is not good."""
    parts: list[Part] = []
    for name in names:
        for text in texts(figures, [name]):
            found = grade(name, figures[name])
            parts.append((text if found in (None, "good") else f"{text} {found}", _GRADES[found]))
    return parts


def with_keys(line: Line, following: bool, room: int) -> Line:
    """The keys that walk at the right end, where there is room for them."""
    hint = "←/→ walk " if following else "End newest "
    gap = room - length(line, 0) - len(hint)
    return (*line, (" " * gap, ""), (hint, "faint")) if line and gap > 1 else line
