"""What a viewer knows of renders, of one or of all, whatever it shows them on."""
