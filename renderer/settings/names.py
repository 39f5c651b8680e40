"""Names that are worth offering, from tables that the settings need for nothing else."""

from __future__ import annotations


def models() -> tuple[str, ...]:
    from renderer.settings.presets import PRESETS

    return tuple(preset.name for preset in PRESETS)


def schedulers() -> tuple[str, ...]:
    from renderer.settings.samplers import SCHEDULERS

    return tuple(SCHEDULERS)


def codecs() -> tuple[str, ...]:
    from renderer.settings.codecs import CODECS

    return tuple(codec.name for codec in CODECS)
