"""Measures do not depend on the types that a user's code has torch make."""

import pytest
import torch

from gansearch.stability import StabilityMonitor
from gansearch.stability.defaults import torch_defaults


@pytest.fixture(params=[torch.float64, torch.bfloat16])
def another(request):
    torch.set_default_dtype(request.param)
    yield request.param
    torch.set_default_dtype(torch.float32)


def test_inside_they_are_torchs_own_and_afterwards_the_users(another):
    with torch_defaults():
        assert torch.zeros(1).dtype == torch.float32
    assert torch.get_default_dtype() == another


def test_a_default_device_is_left_too():
    with torch.device("meta"):
        with torch_defaults():
            assert torch.zeros(1).device.type == "cpu"
        assert torch.zeros(1).device.type == "meta"


def test_a_monitor_says_the_same(another):
    reports = []
    for default in (torch.float32, another):
        torch.set_default_dtype(default)
        draws, monitor = torch.Generator().manual_seed(0), StabilityMonitor()
        for step in range(20):
            real, fake = (torch.randn(64, generator=draws, dtype=torch.float32) + shift for shift in (1.0, 0.0))
            monitor.update(real, fake, step)
        reports.append(monitor.report().stability)
    assert reports[0] == reports[1]
