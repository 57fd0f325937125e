"""Distances of the literature between samples: how they are estimated, and from how many samples."""
