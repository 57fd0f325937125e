"""The rules by which a log is judged, each with the bound that it follows from."""
