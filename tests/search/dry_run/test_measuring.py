"""What is measured of a device and which configurations are tried; test_dry_run.py tries the rest."""

import torch

from gansearch.search.dry_run import measuring
from gansearch.search.dry_run.measuring import configurations

GB = 10**9


def test_a_gpu_is_measured_with_its_context_but_not_with_what_others_hold(monkeypatch):
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 2 * GB)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda device: 3 * GB)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a GPU")
    device = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (int(77.5 * GB), 80 * GB))
    assert measuring._device(device) == {"device": "a GPU", "gpu_memory": int(3.5 * GB), "gpu_total": 80 * GB}
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (20 * GB, 80 * GB))
    assert measuring._device(device)["gpu_memory"] == 3 * GB + 2**30
    assert measuring._device(torch.device("cpu")) == {"device": "CPU, 1 thread"}


def test_configurations_are_of_the_space_and_the_same_each_time(make_tiny):
    experiment = make_tiny(search={"lr": {"low": 1e-3, "high": 1e-2}, "r1_gamma": {"choices": [0.0, 1.0]}})
    drawn = configurations(experiment)
    assert len(drawn) == measuring.CONFIGURATIONS
    assert {training.r1_gamma for training in drawn} == {0.0, 1.0}
    assert all(1e-3 <= training.lr <= 1e-2 for training in drawn)
    assert drawn == configurations(experiment)
    assert len(configurations(make_tiny(search={}))) == 1
