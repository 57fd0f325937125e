"""A training loop of the user's own: the loop, its trial, and its trainer."""
