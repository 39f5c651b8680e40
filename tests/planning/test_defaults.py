"""What is filled in where the user leaves a setting open."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from renderer.errors import PainterError, SettingsError
from renderer.painting.geometry import Geometry
from renderer.planning import painter_choice
from renderer.planning.defaults import changes, fill_in
from renderer.planning.prepare import prepare
from renderer.project.steering import what_changes
from renderer.settings.plain_values import Size
from renderer.settings.presets import EXPERIMENTAL, PRESETS, ModelPreset, find_preset
from renderer.settings.render import RenderSettings
from tests.painting import hub_cache

BORDERS = [preset for preset in PRESETS if not preset.dives_only]
"""Those that paint around a picture."""


def film(**wishes: Any) -> RenderSettings:
    return fill_in({"prompt": "a reef", "painter": "texture", **wishes}).settings


def diffusion(model: str = "sd2", **wishes: Any) -> RenderSettings:
    return fill_in({"prompt": "a reef", "model": model, **wishes}).settings


def notes(**wishes: Any) -> str:
    return "\n".join(fill_in(wishes).notes)


# --- painter and model ---------------------------------------------------------------------------


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painter_choice, "accelerator", lambda: None)


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_the_painter_is_the_users_to_say() -> None:
    with pytest.raises(SettingsError) as caught:
        fill_in({"prompt": "a reef"})
    assert caught.value.field == "painter"
    for choice in ("--model cosmos", "--model sd2", "--painter texture --image FILE"):
        assert choice in str(caught.value)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    "prompt", ["a crimson nebula", "Galaxies, deep field", "starry night", "OUTER SPACE"]
)
def test_without_a_gpu_cosmos_paints_the_sky_and_a_line_says_so(prompt: str) -> None:
    plan = fill_in({"prompt": prompt})
    assert (plan.settings.painter, plan.settings.model) == ("diffusion", "cosmos")
    assert plan.notes[0] == "no GPU here, so cosmos paints this sky, in seconds a keyframe"


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_and_a_prompt_it_is_texture_and_one_line_says_so() -> None:
    plan = fill_in({})
    assert plan.settings.painter == "texture"
    assert plan.notes == ("no GPU here and no prompt, so the texture painter is used",)


def test_with_an_accelerator_it_is_diffusion_with_the_default_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(painter_choice, "accelerator", lambda: "NVIDIA H100")
    plan = fill_in({"prompt": "a reef"})
    assert (plan.settings.painter, plan.settings.model) == ("diffusion", "sd2")
    assert plan.settings.device == "gpu"  # so it won't go on without one unasked
    assert plan.notes == ()
    slow = diffusion(device="cpu")
    assert slow.device == slow.changed(changes(slow, {"model": "sd15"})).device == "cpu"


def test_a_model_means_the_diffusion_painter() -> None:
    assert diffusion("sdxl").painter == "diffusion"


def test_the_texture_painter_says_what_it_makes_no_use_of() -> None:
    told = notes(prompt="a reef", painter="texture", steps=9, guidance_scale=3.0)
    assert "it ignores prompt, steps and guidance scale" in told
    assert notes(painter="texture") == notes(painter="texture", method="sequential", tile=96) == ""


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_brings_what_suits_it_and_wishes_come_first(preset: ModelPreset) -> None:
    settings = diffusion(preset.name)
    for name in ("steps", "guidance_scale", "strength", "scheduler"):
        assert getattr(settings, name) == getattr(preset, name)
    assert diffusion(preset.name, steps=3, scheduler="ddim").steps == 3
    assert diffusion(preset.name, steps=3, scheduler="ddim").scheduler == "ddim"


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_says_how_its_borders_are_joined(preset: ModelPreset) -> None:
    settings = diffusion(preset.name)
    assert (settings.overmask, settings.feather) == (preset.overmask, preset.feather)
    assert settings.overmask % 8 == 0
    assert (settings.colour_fit, settings.seam_pass, settings.candidates) == (True, 0, 1)
    assert diffusion(preset.name, overmask=0, feather=9).overmask == 0
    assert diffusion(preset.name, overmask=0, feather=9).feather == 9


def test_the_texture_painter_joins_by_itself_and_says_so() -> None:
    wishes = {
        "overmask": 8,
        "feather": 9,
        "colour_fit": False,
        "drift_guard": 0.0,
        "seam_pass": 0.3,
    }
    told = notes(painter="texture", **wishes)
    assert "it ignores overmask, feather, colour fit, drift guard and seam pass" in told
    assert notes(painter="texture", feather=48, colour_fit=True, candidates=4) == ""
    settings = film(**wishes)
    assert (settings.overmask, settings.seam_pass) == (0, 0)


@pytest.mark.parametrize(("name", "value"), [("overmask", 8), ("seam_pass", 0.3)])
def test_steering_a_texture_film_to_paint_the_picture_anew_is_refused(
    name: str, value: float
) -> None:
    with pytest.raises(SettingsError, match=f"finds its own joins.*--{name.replace('_', '-')} is"):
        changes(film(), {name: value})


def test_going_over_to_the_texture_painter_switches_off_what_it_can_not_do() -> None:
    now = diffusion(seam_pass=0.3)
    changed = changes(now, {"painter": "texture"})
    assert (changed["overmask"], changed["seam_pass"]) == (0, 0)
    back = changes(now.changed(changed), {"painter": "diffusion"})
    assert back["overmask"] == 8


def test_painters_from_elsewhere_are_asked_for_whatever_is_wished() -> None:
    settings = fill_in({"painter": "mine:make", "overmask": 8, "seam_pass": 0.3}).settings
    assert (settings.overmask, settings.seam_pass) == (8, 0.3)


def test_a_seam_pass_of_no_step_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^seam_pass 0.1 of 6 steps .* at least 0.167, or 0$"):
        diffusion(steps=6, seam_pass=0.1)
    assert diffusion(steps=6, seam_pass=0.2).seam_pass == 0.2


def test_an_overmask_without_feather_is_said_to_show() -> None:
    told = notes(prompt="a reef", model="sd2", feather=0)
    assert "with feather 0 the picture's edge will show" in told
    assert notes(prompt="a reef", model="sd2", feather=0, overmask=0) == ""


def test_the_old_name_of_the_missions_model_is_understood() -> None:
    settings = diffusion("stabilityai/stable-diffusion-2-inpainting")
    assert find_preset(settings.model) is find_preset("sd2")
    assert settings.scheduler == "dpm++"


def test_an_unknown_model_keeps_its_own_scheduler() -> None:
    assert diffusion("somebody/some-inpainting").scheduler == ""


def test_a_hub_id_gets_what_suits_its_kind_as_soon_as_that_is_on_this_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    wishes = {"prompt": "a reef", "model": "someone/large"}
    unknown = fill_in(wishes)
    assert unknown.settings.size == diffusion("sd2").size
    assert unknown.notes == (
        "of which kind someone/large is shows only when it is loaded, so it gets the settings of "
        "sd2",
    )
    (tmp_path / "model").mkdir()
    index = {"_class_name": "StableDiffusionXLInpaintPipeline"}
    (tmp_path / "model" / "model_index.json").write_text(json.dumps(index))
    hub_cache.put(tmp_path / "cache", "someone/large", tmp_path / "model")
    known = fill_in(wishes)
    assert known.notes == ()
    like = diffusion("sdxl", seed=known.settings.seed, scheduler="")
    assert known.settings == like.changed({"model": "someone/large"})
    (reference,) = (tmp_path / "cache").rglob("refs/main")
    for damage in (b"\xff", b"../../../x"):
        reference.write_bytes(damage)
        assert fill_in(wishes).notes == unknown.notes


def test_a_model_folder_is_found_again_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PainterError, match=r"no model_index\.json"):
        diffusion("./model")
    index = {"_class_name": "StableDiffusionInpaintPipeline"}
    (tmp_path / "model" / "model_index.json").write_text(json.dumps(index))
    assert diffusion("./model").model == str(tmp_path / "model")


@pytest.mark.parametrize(
    ("wishes", "part"),
    [
        ({"prompt": "", "model": "sd2"}, "needs a prompt"),
        ({"prompt": " \n", "painter": "diffusion"}, "needs a prompt"),
        ({"model": "sd3"}, "did you mean 'sd2'"),
        ({"model": "sd2", "scheduler": "eulr"}, "did you mean 'euler'"),
        ({"outpaint_size": 9, "zoom_factor": 2.0}, "only one"),
        ({"frames_per_keyframe": 9, "seconds_per_keyframe": 2.0}, "only one"),
        ({"fps": "abc"}, "fps must be a number"),
        ({"fps": "1/0"}, "fps must be a number"),
        ({"seconds_per_keyframe": math.nan}, "above 0"),
        ({"seconds_per_keyframe": math.inf}, "above 0"),
        ({"size": "wide"}, "WIDTHxHEIGHT"),
        ({"keyframe_size": "32x32"}, "too small"),
        ({"keyframes": 10**9}, "at most 1000000"),
        ({"sise": "1x1"}, "did you mean 'size'"),
        ({"seconds_per_keyframe": 1e308}, "at most 1000000"),
        ({"seconds_per_keyframe": 10**400}, "seconds_per_keyframe can't be"),
        ({"seconds_per_keyframe": "two"}, "seconds_per_keyframe can't be 'two'"),
        ({"outpaint_size": 10**400}, "at most 8192 pixels"),
        ({"outpaint_size": 1.5}, "outpaint_size can't be 1.5"),
        ({"size": 512}, "size can't be 512; it must be WIDTHxHEIGHT"),
        ({"model": 3}, "model can't be 3"),
        ({"loras": 3}, "loras can't be 3"),
        ({"upscaler": 3}, "upscaler can't be 3"),
        ({"direction": "in", "keyframes_kept": "4"}, "keyframes_kept 4 does not go with"),
        ({"direction": "in", "keyframes_kept": "marks"}, "keyframes_kept marks does not go with"),
        (
            {"direction": "out", "method": "refine", "keyframes_kept": "4"},
            "keyframes_kept 4 does not go with direction out",
        ),
    ],
)
def test_what_can_not_be_is_refused_with_the_reason(wishes: dict[str, Any], part: str) -> None:
    with pytest.raises(SettingsError, match=part):
        fill_in({"prompt": "a reef", "painter": "diffusion", **wishes})


@pytest.mark.parametrize("method", ["direct", "refine"])
def test_a_film_that_runs_as_it_is_rendered_may_keep_few_pictures(method: str) -> None:
    assert diffusion(method=method, keyframes_kept="4").keyframes_kept == "4"


# --- sizes ---------------------------------------------------------------------------------------


def test_sd2_paints_512_on_a_canvas_of_768() -> None:
    settings = diffusion("sd2")
    assert settings.size == settings.keyframe_size == (512, 512)
    assert Geometry.of(settings).canvas_size == (768, 768)


def test_sdxl_paints_what_its_canvas_of_1024_has_room_for() -> None:
    settings = diffusion("sdxl")
    assert settings.size == settings.keyframe_size == (672, 672)
    assert Geometry.of(settings).canvas_size == (1024, 1024)  # 1008 in multiples of 64


UNETS = [preset for preset in BORDERS if preset.unet]


@pytest.mark.parametrize("preset", UNETS, ids=lambda preset: preset.name)
@pytest.mark.parametrize("size", ["", "1280x720", "1920x1080", "720x1280"])
@pytest.mark.parametrize("rho", [1.5, 2.0])
def test_a_unets_canvas_can_be_halved_three_times(
    preset: ModelPreset, size: str, rho: float
) -> None:
    wishes = {"size": size} if size else {}
    settings = diffusion(preset.name, zoom_factor=rho, **wishes)
    canvas = Geometry.of(settings).canvas_size
    assert all(side % 64 == 0 for side in canvas)
    most = min(preset.native * rho, preset.canvas) ** 2
    if preset.multiple < 64:
        assert 0.85 * most <= canvas[0] * canvas[1] <= 1.01 * most


def test_a_size_of_ones_own_is_kept_and_so_are_those_of_a_film_that_exists() -> None:
    own = diffusion("sdxl", keyframe_size="680x680")
    assert (own.keyframe_size, own.size_multiple) == ((680, 680), 8)
    assert Geometry.of(RenderSettings.from_toml(own.to_toml())).canvas_size == (1032, 1032)


@pytest.mark.parametrize("preset", BORDERS, ids=lambda preset: preset.name)
@pytest.mark.parametrize("rho", [1.2, 1.5, 2.0, 3.0])
def test_a_film_whose_size_is_left_open_shows_every_pixel_as_painted(
    preset: ModelPreset, rho: float
) -> None:
    plan = fill_in({"prompt": "a reef", "model": preset.name, "zoom_factor": rho})
    assert plan.settings.size == plan.settings.keyframe_size
    told = (f"{preset.name} is {EXPERIMENTAL}",) if preset.experimental else ()
    assert plan.notes == told


@pytest.mark.parametrize("preset", BORDERS, ids=lambda preset: preset.name)
@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (2560, 1080), (512, 512)])
@pytest.mark.parametrize("rho", [1.2, 1.5, 2.0, 3.0])
def test_other_aspects_keep_the_models_area_at_the_films_aspect(
    preset: ModelPreset, size: Size, rho: float
) -> None:
    settings = diffusion(preset.name, size=f"{size[0]}x{size[1]}", zoom_factor=rho)
    width, height = settings.keyframe_size
    side = min(preset.native, preset.canvas / rho)
    # What rounding both sides may come to: down to canvases in multiples of 64 for a UNet.
    whole = preset in UNETS and preset.multiple < 64
    coarse = (64 / rho if whole else preset.multiple / 2) / side
    assert width / height == pytest.approx(size[0] / size[1], rel=max(0.06, preset.multiple / side))
    assert math.sqrt(width * height) == pytest.approx(side, rel=max(0.03, coarse))
    assert width % preset.multiple == height % preset.multiple == 0


def test_a_painter_without_a_model_paints_at_the_films_size() -> None:
    settings = film()
    assert settings.size == settings.keyframe_size == (1280, 720)
    assert film(size="962x546").keyframe_size == (968, 552)


def test_a_keyframe_size_alone_is_the_films_size_too() -> None:
    assert film(keyframe_size="640x384").size == (640, 384)
    assert diffusion(keyframe_size="640x384").size == (640, 384)


def test_a_border_in_pixels_is_a_zoom_factor() -> None:
    assert film(size="512x512", outpaint_size=128).zoom_factor == 1.5
    assert diffusion(outpaint_size=128).zoom_factor == 1.5


def test_a_film_larger_than_what_is_painted_is_said_to_be_soft() -> None:
    told = notes(prompt="a reef", model="sd2", size="1280x720")
    assert "1.9 times larger" in told
    assert "--size 672x384" in told
    assert notes(prompt="a reef", model="sd2") == ""


# --- pace and the rest ---------------------------------------------------------------------------


def test_a_keyframe_takes_two_seconds_unless_it_is_said() -> None:
    assert film().frames_per_keyframe == 60
    assert film(fps="24000/1001").frames_per_keyframe == 48
    assert film(seconds_per_keyframe=0.5).frames_per_keyframe == 15
    assert film(seconds_per_keyframe=0.001).frames_per_keyframe == 1
    assert film(frames_per_keyframe=7).frames_per_keyframe == 7


def test_a_film_has_no_end_unless_it_is_said() -> None:
    assert film().keyframes is None
    assert film(keyframes="inf").keyframes is None
    assert film(keyframes=7).keyframes == 7


def test_frame_rates_are_exact() -> None:
    assert film(fps="24000/1001").fps == Fraction(24000, 1001)
    assert film(fps="23.976").fps == Fraction(2997, 125)


def test_a_seed_is_chosen_anew_each_time_unless_it_is_given() -> None:
    assert film().seed != film().seed
    assert film(seed=7).seed == 7


def test_everything_is_filled_in_so_that_nothing_is_left_to_the_next_machine() -> None:
    settings = film()
    assert 1 <= settings.threads <= 8
    assert RenderSettings.from_toml(settings.to_toml()) == settings


# --- changes -------------------------------------------------------------------------------------


def test_changes_are_only_what_was_wished_for() -> None:
    assert changes(film(), {"prompt": "night", "seed": None}) == {"prompt": "night"}
    assert changes(film(), {"keyframes": "inf"}) == {"keyframes": "inf"}


def test_another_model_brings_its_own_suggestions() -> None:
    changed = changes(diffusion("sd2"), {"model": "sdxl"})
    assert (changed["strength"], changed["scheduler"]) == (0.99, "euler")
    assert changes(diffusion("sd2"), {"model": "sdxl", "strength": 0.5})["strength"] == 0.5


@pytest.mark.parametrize("film", [{"model": "sdxl"}, {"model": "sd2", "size": "1280x720"}])
@pytest.mark.parametrize(
    "wishes", [{"speed": "fast"}, *({"model": name} for name in ("sd15", "sdxl-promax", "klein"))]
)
def test_whatever_a_film_of_the_usual_sizes_is_steered_to_fits_it(
    film: dict[str, str], wishes: dict[str, str]
) -> None:
    now = diffusion(**film)
    changed = changes(now, wishes)
    assert what_changes(now, changed, begun=1, finished=False)
    assert changed["size_multiple"] == now.size_multiple == 16


def test_a_model_that_can_not_paint_the_films_canvas_is_refused_in_one_line() -> None:
    now = diffusion("sdxl", keyframe_size="680x680")
    with pytest.raises(SettingsError) as caught:
        changes(now, {"model": "klein"})
    assert caught.value.field == "model"
    assert str(caught.value) == (
        "klein paints in multiples of 16, and this film's canvas 1032x1032 is not; choose another "
        "model, or start a new project"
    )


def test_another_speed_leaves_what_the_user_chose_for_the_joins() -> None:
    now = diffusion("sd2", feather=9, overmask=24)
    fast = now.changed(changes(now, {"speed": "fast"}))
    back = fast.changed(changes(fast, {"speed": "balanced"}))
    assert fast.loras
    assert (fast.steps, back.steps, back.loras) == (8, now.steps, ())
    for each in (fast, back):
        assert (each.feather, each.overmask) == (9, 24)


@pytest.mark.parametrize("model", ["someone/a-model", "klein"])
def test_a_speed_for_which_no_lora_comes_changes_nothing_else(model: str) -> None:
    now = diffusion(model, steps=12, guidance_scale=3.0, strength=0.9, scheduler="")
    assert changes(now, {"speed": "fast"}) == {"speed": "fast"}
    sd2 = diffusion("sd2", guidance_scale=3.0)
    assert changes(sd2, {"speed": "fast", "steps": 30}) == {"speed": "fast", "steps": 30}


def test_a_dive_stays_one_with_another_model() -> None:
    now = film(painter="diffusion", model="sd2", method="refine", strength=0.4, tile=768)
    changed = changes(now, {"model": "sdxl"})
    assert (changed["strength"], changed["tile"]) == (painter_choice.DIVING, 1024)
    assert changes(now, {"model": "sdxl", "strength": 0.6})["strength"] == 0.6
    back = changes(now, {"method": "direct"})
    assert (back["strength"], back["tile"]) == (1.0, 0)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_dive_needs_no_words(preset: ModelPreset) -> None:
    assert fill_in({"model": preset.name, "method": "refine"}).settings.prompt == preset.dive_prompt
    assert "prompt" not in changes(diffusion("sd2"), {"model": "sdxl", "method": "refine"})


def test_a_model_that_only_dives_says_so_and_begins_with_a_picture(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"sd-x4 .* can only dive \(--method refine\)"
    ) as caught:
        fill_in({"prompt": "a reef", "model": "sd-x4", "method": "direct"})
    assert caught.value.field == "method"
    assert changes(diffusion("sd2"), {"model": "sd-x4"})["method"] == "refine"
    with pytest.raises(SettingsError, match="paints no first one; give one with --image") as caught:
        prepare(tmp_path / "dive.zoom", diffusion("sd-x4"))
    assert caught.value.field == "image"
    assert not list(tmp_path.iterdir())


def test_changing_the_painter_to_diffusion_brings_a_model() -> None:
    assert changes(film(), {"painter": "diffusion"})["model"] == "sd2"


def test_other_words_for_the_same_thing_are_translated() -> None:
    now = film(size="512x512")
    assert changes(now, {"outpaint_size": 128}) == {"zoom_factor": 1.5}
    assert changes(now, {"seconds_per_keyframe": 1.0}) == {"frames_per_keyframe": 30}


def test_changes_that_can_not_be_are_refused() -> None:
    for wishes in ({"painter": "diffusion", "prompt": ""}, {"steps": 0}, {"fps": "x"}):
        with pytest.raises(SettingsError):
            changes(film(), wishes)
