"""The sampler of balances as a package of OptunaHub: it is gansearch's own, which `pip install gansearch` brings."""

from gansearch import BalanceSampler

__all__ = ["BalanceSampler"]
