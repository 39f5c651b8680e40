"""Finding a painter by its name: built in, registered by a package, or ``module:factory``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from renderer.errors import PainterError, SettingsError
from renderer.painting.painters import find
from renderer.settings.render import RenderSettings

PAINTER = """
class Flat:
    def __init__(self, settings):
        self.settings = settings

    def paint(self, job, on_step):
        return job.canvas


def create(settings):
    return Flat(settings)


COLOUR = 3
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the import path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_built_in_painters_are_found_without_loading_a_model() -> None:
    assert find("diffusion").__module__ == "renderer.painting.painters.diffusion"


def test_a_painter_is_found_by_module_and_factory(here: Path) -> None:
    (here / "flat_one.py").write_text(PAINTER)
    settings = RenderSettings(seed=7)
    for name in ("flat_one:create", "flat_one:Flat"):
        assert find(name)(settings).settings is settings  # type: ignore[attr-defined]


def test_a_painter_is_found_by_entry_point(here: Path) -> None:
    (here / "flat_two.py").write_text(PAINTER)
    package = here / "flat_painters-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: flat-painters\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(
        "[zoomtui.painters]\nflat = flat_two:create\nbent = flat_two:creat\n"
    )
    assert find("flat").__module__ == "flat_two"
    with refused(
        PainterError,
        "painter 'bent' (of flat-painters): unknown name 'creat' in flat_two; "
        "did you mean 'create'?",
    ):
        find("bent")
    with refused(
        SettingsError, "unknown painter 'flatt'; did you mean 'flat'? (or module:factory)"
    ):
        find("flatt")


def refused(error: type[Exception], line: str) -> pytest.RaisesExc[Exception]:
    return pytest.raises(error, match=f"^{re.escape(line)}$")


def test_an_unknown_painter_names_the_nearest() -> None:
    with refused(
        SettingsError, "unknown painter 'textur'; did you mean 'texture'? (or module:factory)"
    ):
        find("textur")


def test_a_module_that_does_not_exist_is_named() -> None:
    with refused(
        PainterError,
        "painter 'no_such.painter:create': there is no module no_such; install it, put its "
        "folder on PYTHONPATH, or start in that folder",
    ):
        find("no_such.painter:create")


def test_a_module_that_lacks_something_itself_says_what(here: Path) -> None:
    (here / "needy.py").write_text("import no_such_library\n")
    with refused(
        PainterError,
        "painter 'needy:create': needy can't be imported: No module named 'no_such_library'",
    ):
        find("needy:create")


def test_a_module_with_a_typo_is_named(here: Path) -> None:
    (here / "broken_one.py").write_text("def create(:\n")
    with pytest.raises(PainterError, match=r"^painter 'broken_one:create': broken_one can't be"):
        find("broken_one:create")


def test_a_factory_that_does_not_exist_names_the_nearest(here: Path) -> None:
    (here / "flat_three.py").write_text(PAINTER)
    with refused(
        PainterError,
        "painter 'flat_three:crate': unknown name 'crate' in flat_three; did you mean 'create'?",
    ):
        find("flat_three:crate")


@pytest.mark.parametrize("name", ["flat_four:COLOUR", "flat_four:"])
def test_what_is_no_factory_is_refused(here: Path, name: str) -> None:
    (here / "flat_four.py").write_text(PAINTER)
    with pytest.raises(PainterError, match=f"^painter '{name}'"):
        find(name)
