"""Many trials of one experiment on a Ray cluster. Ray lives in here, and nowhere else."""
