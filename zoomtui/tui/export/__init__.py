"""The export screen: its form, what it runs, what it says of it."""
