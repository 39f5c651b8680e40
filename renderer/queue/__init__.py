"""Renders that wait for a GPU: their records, the devices, and the process that pairs the two."""
