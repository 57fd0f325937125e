import pytest
import torch

from gansearch.gan.readers.cache import FOLDER


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Tiny networks are faster on one thread, and tests run beside each other."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv(FOLDER, str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def _own_draws():
    """What a test draws from torch's global state does not depend on the tests before it."""
    torch.manual_seed(0)
