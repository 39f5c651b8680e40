"""What both ends of the control socket must agree on; docs/protocol.md describes the rest."""

from __future__ import annotations

PROTOCOL = 4
"""Version of the messages; a viewer of another version refuses them."""
LONGEST_SNAPSHOT = 64 << 20
"""Bytes; a snapshot with hundreds of thousands of notes stays below."""
LONGEST_LINE = 1 << 20
"""Bytes; a viewer that sends a longer line is cut off."""
