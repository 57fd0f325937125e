"""Whose turn is next, and what changes while a GAN trains."""
