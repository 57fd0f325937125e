"""What a run of Tune leaves in this process is put back, so that other tests find it as it was."""

import signal
import sys
from collections.abc import Iterator

import pytest

TAKEN = (signal.SIGINT, signal.SIGUSR1)
"""The signals that Tune takes for good."""


@pytest.fixture(autouse=True, scope="module")
def _as_before() -> Iterator[None]:
    handlers, loaded = [signal.getsignal(number) for number in TAKEN], set(sys.modules)
    yield
    for number, handler in zip(TAKEN, handlers, strict=True):
        signal.signal(number, handler)
    for name in set(sys.modules) - loaded:
        if name.startswith("ray.air.integrations"):
            del sys.modules[name]
