"""What the trials of a sweep say: the choice of the best, importances, neighbourhoods."""
