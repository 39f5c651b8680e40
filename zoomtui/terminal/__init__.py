"""What a terminal can do and show: asked before Textual starts, drawn for while it runs."""
