"""A setting is declared in one place, and found in all: shown with one that is put in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = """    sparkle: int = setting(
        3,
        kind="whole",
        check=between(0, 9, " stars"),
        help="Stars on top.",
        metavar="STARS",
        label="Sparkle",
        hint="How many stars.",
        choices=("0", "5"),
        row=("painting", 7),
        steerable=True,
        new_painter=True,
        used_by=DIFFUSION,
        slows=True,
        provenance=True,
    )

    overmask: int = setting("""
"""A toy, put before another row."""
EXPORT_ROW = """    tilt: float = setting(
        0.0,
        kind="number",
        check=between(0, 45, " degrees"),
        help="Lean to the right.",
        metavar="DEGREES",
        label="Tilt",
        hint="How far it leans.",
        choices=("0", "5"),
        row=("", 8),
    )
    duration: float | None = setting("""
"""The same for an export."""
FIGURE = """    grain: float = figure(lambda grain: f"grain {grain:.1f}", scale="/10", default=0.0)
    idle: float = figure("""
"""And for what is measured of a keyframe."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources with a toy setting, option of exports and figure, in one place each."""
    folder = tmp_path_factory.mktemp("toy")
    for package in ("renderer", "zoomtui"):
        leave = shutil.ignore_patterns("__pycache__", "assets")
        shutil.copytree(ROOT / package, folder / package, ignore=leave)
    _put_in(folder / "renderer" / "settings" / "painting.py", ROW)
    exports = folder / "renderer" / "settings" / "export.py"
    _put_in(exports, EXPORT_ROW)
    _put_in(folder / "renderer" / "painting" / "figures.py", FIGURE)
    text = exports.read_text(encoding="utf-8")
    exports.write_text(text.replace("import NOTATION, finite", "import between, NOTATION, finite"))
    return folder


def _put_in(source: Path, row: str) -> None:
    """Before the row whose first line is the last of ``row``."""
    text, before = source.read_text(encoding="utf-8"), row.splitlines()[-1]
    assert text.count(before) == 1, before
    source.write_text(text.replace(before, row), encoding="utf-8")


@pytest.mark.parametrize(
    "shows",
    [
        # the check and its message, with the field that it blames
        """
from renderer.errors import SettingsError
try: RenderSettings(sparkle=10)
except SettingsError as error:
    assert (str(error), error.field) == ("sparkle must be 0 to 9 stars, not 10", "sparkle")
else: raise AssertionError
""",
        # TOML and JSON, there and back
        """
text = RenderSettings(sparkle=5).to_toml()
assert "sparkle = 5" in text
assert RenderSettings.from_toml(text).sparkle == 5
assert RenderSettings().changed({"sparkle": 7}).plain()["sparkle"] == 7
""",
        # the options of both verbs
        """
from click.testing import CliRunner
from zoomtui.cli.main import cli
for verb in ("render", "resume"):
    said = " ".join(CliRunner().invoke(cli, [verb, "--help"]).output.split())
    assert "--sparkle STARS Stars on top." in said, said
""",
        # the form: its field, row, line of help and default, and the command that says the same
        """
from pathlib import Path
from zoomtui.tui.new_render import form
field = form.FIELDS["sparkle"]
assert (field.row.label, field.row.hint) == ("Sparkle", "How many stars.")
assert field.choices == ("0", "5")
assert [key for key, each in form.FIELDS.items() if each.place == field.place] == ["sparkle"]
typed = {"prompt": "a reef", "painter": "diffusion", "sparkle": "5"}
assert form.check(typed).settings.sparkle == 5
assert "--sparkle 5" in form.command_line(typed)
assert form.defaults(form.check(typed).settings, Path("a"))["sparkle"] == "5"
try: form.check({**typed, "sparkle": "10"})
except form.FieldError as error: assert error.key == "sparkle"
else: raise AssertionError
assert "sparkle" in form.unused_by("texture")
""",
        # what may be steered, what makes the painter anew, provenance
        """
from renderer.engine import producer
from renderer.painting.figures import Figures
from renderer.painting.prompt_blend import Blend
from renderer.painting.outpaint import Outpainted
from renderer.settings.render import STEERABLE
assert "sparkle" in STEERABLE
assert "sparkle" in producer._OF_THE_PAINTER
done = Outpainted(None, 1.0, 0.0, 7)
figures = Figures(seconds=0.0, seam=1.0, drift=0.0)
assert producer._made(RenderSettings(sparkle=4), Blend("a reef"), done, figures)["sparkle"] == 4
""",
        # the note where a painter makes no use of it, and the forecast's likeness
        """
from renderer.planning.defaults import fill_in
from zoomtui.tui.new_render.forecast import likeness
(note, *_) = fill_in({"painter": "texture", "sparkle": 5}).notes
assert "ignores sparkle" in note, note
one, other = (RenderSettings(painter="diffusion", sparkle=stars) for stars in (1, 2))
assert likeness(one) != likeness(other)
""",
        # an option of exports: check, option of the verb, form, command
        """
from pathlib import Path
from click.testing import CliRunner
from renderer.errors import SettingsError
from renderer.settings.export import ExportOptions
from zoomtui.cli.main import cli
from zoomtui.tui.export import form
try: ExportOptions.read({"tilt": 46})
except SettingsError as error:
    assert (str(error), error.field) == ("tilt must be 0 to 45 degrees, not 46", "tilt")
else: raise AssertionError
said = " ".join(CliRunner().invoke(cli, ["export", "--help"]).output.split())
assert "--tilt DEGREES Lean to the right." in said, said
field = form.FIELDS["tilt"]
assert (field.row.label, field.row.hint, field.choices) == ("Tilt", "How far it leans.", ("0", "5"))
assert field.place == ("", 8) and form.DEFAULTS["tilt"] == "0"
form.check({"out": "a.mp4", "tilt": "5"})
assert form.arguments(Path("a.zoom"), {"out": "a.mp4", "tilt": "5"})[-2:] == ["--tilt", "5"]
try: form.check({"out": "a.mp4", "tilt": "50"})
except form.FieldError as error: assert error.key == "tilt"
else: raise AssertionError
""",
        # a figure of a keyframe: event, state, journal, status, log, lines, monitor
        """
from renderer.engine.event_text import told
from renderer.engine.events import KeyframeReady, from_json, to_json
from renderer.engine.state import RenderState, apply
from renderer.painting.figures import explained, figures_in, typical
from renderer.project.history import History
from renderer.project.status import FIGURES
said = {"seconds": 2.0, "seam": 1.0, "drift": 0.5, "idle": 0.1, "grain": 3.0}
event = KeyframeReady(keyframe=1, seed=7, prompt="", queued=0, **said)
assert from_json(to_json(event)) == event
assert "grain 3.0" in told(event)
state = apply(RenderState(), event, 0.0)
assert RenderState.from_json(state.to_json()).typical.grain == 3.0
record = {"type": "keyframe", "keyframe": 0, "length": 1, "crc": 1, "seed": 1, "at": 0.0, **said}
(stored,) = History([record]).keyframes
assert stored.grain == 3.0 and "grain" in FIGURES
assert figures_in({"grain": 3.0, "prompt": "x"}) == {"grain": 3.0}
assert explained(typical([stored])).endswith("grain 3.0/10")
""",
    ],
    ids=["check", "toml", "options", "form", "engine", "planning", "export", "figure"],
)
def test_a_setting_that_is_put_in_one_place_is_found_in_all(copy: Path, shows: str) -> None:
    program = f"from renderer.settings.render import RenderSettings\n{shows}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("key", ["speed", "loras", "prompt_blend", "steps"])
def test_the_texture_painter_says_of_each_option_that_it_makes_no_use_of_it(key: str) -> None:
    from renderer.planning.defaults import fill_in

    wishes = {"speed": "fast", "loras": ("a.safetensors",), "prompt_blend": 4, "steps": 30}
    notes = fill_in({"painter": "texture", key: wishes[key]}).notes
    assert any(f"ignores {key.replace('_', ' ')}" in note for note in notes), notes


def test_the_forecast_tells_one_candidate_from_four() -> None:
    from renderer.settings.render import RenderSettings
    from zoomtui.tui.new_render.forecast import likeness

    one, four = (RenderSettings(candidates=count) for count in (1, 4))
    assert likeness(one) != likeness(four)
    assert likeness(one) == likeness(RenderSettings(seed=7, crf=20))
