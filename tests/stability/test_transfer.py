"""What comes to the host on a CPU alone; tests/cuda counts the waits of a GPU."""

import torch

from gansearch.stability.transfer import to_host


def test_tensors_of_the_cpu_stay_what_they_are():
    scores = torch.randn(3)
    assert to_host() == []
    same, nothing = to_host(scores, None)
    assert same is scores
    assert nothing is None
