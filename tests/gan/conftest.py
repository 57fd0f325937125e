import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Tiny networks are faster on one thread, and tests run beside each other."""
    torch.set_num_threads(1)
