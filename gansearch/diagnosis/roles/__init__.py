"""What the columns of a log are: steps, games, losses, by their names and values."""
