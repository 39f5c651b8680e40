"""From wishes to a checked project: defaults, sizes, forecasts. Makes no picture."""
