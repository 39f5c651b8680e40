"""Finished files out of kept keyframes: other timing, size, codec or direction, without painting.

``plan`` settles what is asked, ``run`` makes it. Knows no project: it is given a ``source``.
"""
