"""The results folder: its files and their formats. Knows no network, no Ray."""
