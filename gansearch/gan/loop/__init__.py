"""A training loop of the user's own: its task, its trial and its trainer."""
