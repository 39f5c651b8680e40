"""The screens of the interface, each in a module of its own, pushed by ``zoomtui.app``."""
