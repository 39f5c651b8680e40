"""The engine of zoomtui: settings in, a growing film and events out. Loads neither torch nor av."""

__version__ = "0.1.0"
