"""The texture painter: image quilting from an exemplar, without any model."""

from renderer.painting.painters.texture.painter import create

__all__ = ["create"]
