"""The command line and the terminal interface. Never loads torch, diffusers or av itself."""
