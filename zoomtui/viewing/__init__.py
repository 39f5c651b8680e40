"""What a viewer knows of renders, of one or of all; it knows no screen."""
