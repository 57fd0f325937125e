import torch

from gansearch.gan.rng import RandomState


def test_each_run_has_its_own_random_numbers_and_the_global_ones_are_left_alone():
    cpu = torch.device("cpu")
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    one, other = RandomState(1, cpu), RandomState(2, cpu)
    drawn = []
    for _ in range(2):
        for state in (one, other):
            with state:
                drawn.append(torch.rand(2))
        torch.rand(0)
    assert torch.equal(torch.rand(4), expected)
    torch.manual_seed(1)
    assert torch.equal(torch.cat(drawn[0::2]), torch.cat([torch.rand(2), torch.rand(2)]))
    assert not torch.equal(drawn[0], drawn[1])
