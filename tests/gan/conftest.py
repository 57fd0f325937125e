import numpy as np
import pandas as pd
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


@pytest.fixture
def people() -> pd.DataFrame:
    """A table of 200 rows: two columns of numbers, one of texts, one of truth values."""
    draws = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": draws.integers(18, 90, 200),
            "income": draws.lognormal(10, 1, 200).round(2),
            "city": draws.choice(["Bonn", "Oslo", "Riga"], 200),
            "member": draws.choice([True, False], 200),
        }
    )


@pytest.fixture
def folder(tmp_path):
    """A folder for pictures, with an empty one in it."""
    path = tmp_path / "pictures"
    (path / "cats").mkdir(parents=True)
    return path


@pytest.fixture
def double(monkeypatch):
    """Networks, latents, data and samples in double precision, in which rounding has no time to grow."""
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
