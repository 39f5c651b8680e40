"""Pictures as a terminal can show them.

`fit` loads and sizes a picture; `blocks`, `palette` and `ascii` make character cells of it, `kitty`
makes transmissions and placeholders; `prepare` puts these together and makes lines for Textual;
`budget` keeps what is sent within a budget. NumPy and Pillow load with the first picture, not with
this package or `budget`.
"""
