import pytest

from gansearch.stability.result import SeedResult


@pytest.mark.parametrize(
    ("status", "verdict", "healthy"),
    [("complete", "balanced", True), ("pruned", "balanced", False), ("complete", "collapsed", False)],
)
def test_a_healthy_seed_is_complete_and_balanced(status, verdict, healthy):
    assert SeedResult(seed=0, status=status, verdict=verdict, stability=0.9, distance=0.1).healthy == healthy
