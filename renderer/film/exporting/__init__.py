"""Finished files out of kept keyframes: other timing, size, codec or direction, without painting.

``plan`` settles what is asked, ``make`` makes it. Knows no project: it is given ``footage``.
"""
