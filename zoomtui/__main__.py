"""`python -m zoomtui` is `zoomtui`."""

from zoomtui.cli.main import main

main()
