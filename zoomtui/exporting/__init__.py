"""What the export screen asks, forecasts and runs, as plain values and lines. No Textual."""
