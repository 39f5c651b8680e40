"""The folder on disk: what lies in it, who may write, what is recovered. Knows no threads."""
