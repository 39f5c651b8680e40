"""The live monitor: its panels and its screens."""
