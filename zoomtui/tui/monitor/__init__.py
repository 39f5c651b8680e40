"""The live monitor: what it knows of a render, its panels and its screens."""
