"""Loops over pictures, compiled. Knows arrays; no keyframe, no film."""
