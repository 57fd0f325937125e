"""Sweeps as jobs of a cluster: submitted, followed and fetched through its dashboard."""
