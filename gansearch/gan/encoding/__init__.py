"""The columns of a table as numbers for a GAN, and back."""
