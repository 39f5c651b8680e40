"""`python -m zoomtui` is `zoomtui`."""

from zoomtui.cli import main

main()
