"""The terminal interface, a folder a screen. Never loads torch, diffusers or av itself."""
