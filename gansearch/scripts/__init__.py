"""Scripts of the user's as trials: each run has a copy of the code, a command with its values, and an environment."""
