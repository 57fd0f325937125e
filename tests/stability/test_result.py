"""The result of a seed."""

import pytest

from gansearch.stability.result import SeedResult


@pytest.mark.parametrize(
    ("status", "verdict", "healthy"),
    [("complete", "balanced", True), ("pruned", "balanced", False), ("complete", "oscillating", False)],
)
def test_a_seed_is_healthy_if_it_is_complete_and_balanced(status, verdict, healthy):
    assert SeedResult(seed=0, status=status, verdict=verdict, stability=0.5, distance=1.0).healthy == healthy
