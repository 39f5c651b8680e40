"""Widgets: what the screens are made of. None of them knows an engine."""
