"""Renders in a browser: a read-only page, and what it is made of."""
