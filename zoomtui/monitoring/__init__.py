"""What the live monitor knows and says of a render, as plain values and lines. No Textual."""
