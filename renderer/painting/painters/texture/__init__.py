"""The texture painter: image quilting from an exemplar, without any model."""
