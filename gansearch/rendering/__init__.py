"""Samples as pictures, sounds, texts and tables."""
