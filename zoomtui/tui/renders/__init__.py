"""The list of renders: found, looked into, described."""
