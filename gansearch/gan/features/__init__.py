"""Networks and transforms whose outputs a distance compares."""
