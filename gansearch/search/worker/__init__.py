"""What a Ray worker runs: one trial."""
