"""The fields of the form for a new render: their names, what is worth trying, where they stand.

Only words and their order; what a text comes to is for ``form``.
"""

from __future__ import annotations

from collections.abc import Mapping

from renderer.settings.codecs import CODECS
from renderer.settings.presets import PRESETS
from renderer.settings.samplers import SCHEDULERS
from zoomtui.tui.shared.form_fields import YES_NO, Field, Group, Row, Texts

DIFFUSION = (
    *("negative_prompt", "model", "steps", "guidance_scale", "strength", "scheduler"),
    *("speed", "loras", "prompt_blend", "seam_pass"),
)
"""Fields that only a model makes use of."""

_ENCODERS = tuple(codec.name for codec in CODECS)
_PRESETS = ("ultrafast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")

FIELDS: tuple[Field, ...] = (
    Field("prompt", "Prompt", "What to paint, as long as you like. Kept exactly as typed."),
    Field("negative_prompt", "Negative", "What to keep out of the picture."),
    Field("painter", "Painter", "texture needs no model; module:factory is one of your own.",
          choices=("texture", "diffusion")),
    Field("model", "Model", "Or a hub id (may end in @revision), or a folder.",
          choices=tuple(preset.name for preset in PRESETS)),
    Field("steps", "Steps", "Denoising steps a call; more is slower.", "whole",
          ("10", "20", "25", "40")),
    Field("guidance_scale", "Guidance", "Weight of the prompt; 0 or more.", "number",
          ("1", "5", "7.5", "10")),
    Field("speed", "Speed", "What is traded for speed; quality trades nothing.",
          choices=("quality", "balanced", "fast")),
    Field("seed", "Seed", "The same seed gives the same film. Ctrl+R draws another.", "whole"),
    Field("keyframes", "Keyframes", "Pictures in all; empty or inf: until you stop it.", "count",
          ("inf", "10", "20", "60", "200")),
    Field("seconds_per_keyframe", "Seconds each", "Seconds of film from one keyframe to the next.",
          "number", ("1", "2", "3", "5", "10")),
    Field("zoom_factor", "Zoom factor", "How much wider the view gets a keyframe; 1 to 4.",
          "number", ("1.25", "1.5", "2", "3")),
    Field("direction", "Direction", "in: at the end the film zooming in is made as well.",
          choices=("out", "in")),
    Field("size", "Film size", "WIDTHxHEIGHT, even; empty: what suits the painter.",
          choices=("512x512", "640x360", "1280x720", "1920x1080", "1080x1920", "3840x2160")),
    Field("fps", "Frames/s", "Also a fraction such as 24000/1001.",
          choices=("24", "25", "30", "50", "60")),
    Field("image", "First picture", "A picture of yours to begin with, any size; empty: painted.",
          "path"),
    Field("folder", "Folder", "The new project's; empty: named after the prompt, here.", "path",
          named="--out"),
    Field("strength", "Strength", "How much of the border is noised anew; above 0, up to 1.",
          "number", ("0.9", "0.95", "0.99", "1")),
    Field("scheduler", "Scheduler", "The sampler; empty: what suits the model.",
          choices=tuple(SCHEDULERS)),
    Field("method", "Method", "All four sides in one call, or one side a call.",
          choices=("direct", "sequential")),
    Field("candidates", "Candidates", "Versions to paint of each border; the best one is kept.",
          "whole", ("1", "2", "4", "8")),
    Field("prompts", "Prompt plan", "A file instead of one prompt: lines such as 12: a coral reef.",
          "path"),
    Field("prompt_blend", "Prompt blend", "Keyframes that a new prompt takes to replace the last.",
          "whole", ("0", "2", "4", "8")),
    Field("keyframe_size", "Keyframe size", "What is outpainted; empty: what suits model and film.",
          choices=("512x512", "768x768", "1024x1024")),
    Field("loras", "LoRAs", "FILE.safetensors or FILE.safetensors:0.8; several with spaces.",
          "words"),
    Field("exemplar", "Exemplar", "Picture that the texture painter grows from; empty: the first.",
          "path"),
    Field("overmask", "Overmask", "Pixels of the picture's edge that may be redrawn for a join.",
          "whole", ("0", "8", "16", "32")),
    Field("feather", "Feather", "Pixels of border over which what differs at the join fades away.",
          "whole", ("16", "32", "48", "64", "96")),
    Field("colour_fit", "Colour fit", "Undo the painter's change of colours.", "switch", YES_NO),
    Field("drift_guard", "Drift guard", "Share by which strayed colours are pulled back; 0: off.",
          "number", ("0", "0.1", "0.15", "0.3")),
    Field("seam_pass", "Seam pass", "Paint a band along the join again, at this strength; 0: not.",
          "number", ("0", "0.2", "0.3", "0.4")),
    Field("codec", "Codec", "Software or hardware encoder; h264 plays everywhere.",
          choices=_ENCODERS),
    Field("crf", "Quality (crf)", "Lower is better and larger; empty: the codec's default.",
          "whole", ("12", "16", "18", "20", "24", "28")),
    Field("preset", "Encoder speed", "The encoder's preset; slower is smaller.", choices=_PRESETS),
    Field("encoder_options", "Encoder", "KEY=VALUE for the encoder; several with spaces.", "pairs"),
)  # fmt: skip
BY_KEY = {field.key: field for field in FIELDS}
NO_SETTINGS = ("image", "exemplar", "prompts", "folder")
"""Fields that name what a project is made from, and where; the rest are RenderSettings'."""

ROWS: tuple[Row, ...] = (
    ("prompt",),
    ("negative_prompt",),
    ("painter", "model"),
    ("steps", "guidance_scale"),
    ("speed", "seed"),
    ("keyframes", "seconds_per_keyframe"),
    ("zoom_factor", "direction"),
    ("size", "fps"),
    ("image",),
    ("folder",),
)
"""What everybody wants to see."""
GROUPS: tuple[Group, ...] = (
    Group("painting", "Painting", (
        ("strength", "scheduler"),
        ("method", "candidates"),
        ("prompts",),
        ("prompt_blend", "keyframe_size"),
        ("loras",),
        ("exemplar",),
    )),
    Group("joining", "Joining", (
        ("overmask", "feather"),
        ("colour_fit", "drift_guard"),
        ("seam_pass",),
    )),
    Group("encoding", "Encoding", (
        ("codec", "crf"),
        ("preset", "encoder_options"),
    )),
)  # fmt: skip
"""The rest, folded away."""

FILM_PRESETS: Mapping[str, Texts] = {
    "standard": {"size": "", "fps": "", "codec": "", "crf": "", "preset": ""},
    "draft": {"size": "640x360", "fps": "24", "codec": "h264", "crf": "28", "preset": "veryfast"},
    "quality": {"size": "", "fps": "60", "codec": "h264", "crf": "14", "preset": "slow"},
    "small file": {"size": "", "fps": "30", "codec": "av1", "crf": "32", "preset": "6"},
}
"""Looks of the film that fill several fields at once; none touches what is painted but by size."""
