"""The pictures that the model learns from: which they are, whose, and how they are prepared.

- ``catalogue.csv``: every picture, chosen by eye: what it shows, whose it is, under which licence
- ``catalogue.py`` reads that list and knows no pixels
- ``stellarium.py``: what stellarium says of its own pictures, to hold the catalogue against
- ``cropping.py``: a source picture's usable part; knows arrays only
- ``listing.py``: what a pack says of its pictures
- ``page.py``: the catalogue for people, training/PICTURES.md
"""
