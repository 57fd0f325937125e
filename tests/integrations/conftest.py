"""What a run of Tune leaves in this process is put back, so that other tests find it as it was."""

import signal
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handler, loaded = signal.getsignal(signal.SIGUSR1), set(sys.modules)
    yield
    signal.signal(signal.SIGUSR1, handler)  # Tune takes it for good
    for name in set(sys.modules) - loaded:
        if name.startswith("ray.air.integrations"):
            del sys.modules[name]
