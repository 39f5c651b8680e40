"""Pictures as a terminal can show them.

`request` says what is wanted and what is made of it; `prepare` makes it, in a thread: it loads and
sizes the picture and has it drawn by a kind, each a module: `blocks` and `ascii` make character
cells, `kitty` transmissions and placeholders, `sixel` and `iterm2` what the driver's `layer` draws
over cells. `budget` keeps what is sent within a budget. NumPy and Pillow load with the first
picture: `prepare` is imported only where one is made.
"""
