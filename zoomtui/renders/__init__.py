"""What the list of renders knows and says, as plain values and lines. No Textual."""
