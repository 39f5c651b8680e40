"""The form for a new render, its forecast and its try-out."""
