"""What comes to the host on a CPU alone; tests/cuda counts the waits of a GPU."""

import torch

from gansearch.stability.transfer import own_memory, to_host


def test_tensors_of_the_cpu_stay_what_they_are():
    scores = torch.randn(3)
    assert to_host() == []
    same, nothing = to_host(scores, None)
    assert same is scores
    assert nothing is None


def test_parts_of_a_tensor_are_copied_and_whole_ones_are_not():
    whole = torch.randn(4, 3)
    state = own_memory({"state": {0: {"part": whole[1], "whole": whole}}, "groups": [{"lr": 0.1}, whole[2:]]})
    part = state["state"][0]["part"]
    assert torch.equal(part, whole[1])
    assert part.untyped_storage().nbytes() == part.nbytes
    assert state["state"][0]["whole"] is whole
    assert state["groups"][0] == {"lr": 0.1}
    assert torch.equal(state["groups"][1], whole[2:])
