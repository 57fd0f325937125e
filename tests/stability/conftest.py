import pytest
import torch


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    """Tiny networks are faster on one thread, and tests run beside each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
