import torch

from gansearch.gan.rng import RandomState, restore


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


def test_a_generator_continues_where_its_state_is_of_the_same_kind_of_device_and_else_starts_from_a_seed():
    one, other = torch.Generator().manual_seed(3), torch.Generator()
    torch.rand(5, generator=one)
    restore(other, one.get_state(), seed=4)
    assert torch.equal(torch.rand(5, generator=one), torch.rand(5, generator=other))
    of_cuda = torch.zeros(16, dtype=torch.uint8)  # its seed and offset
    restore(other, of_cuda, seed=4)
    assert torch.equal(torch.rand(5, generator=other), torch.rand(5, generator=torch.Generator().manual_seed(4)))


def test_a_state_is_loaded_for_the_devices_that_are_there():
    one, other = (RandomState(seed, torch.device("cpu")) for seed in (1, 2))
    other.load_state({**one.state, "cuda": torch.zeros(16, dtype=torch.uint8)})
    assert other.state.keys() == {"cpu"}
    assert torch.equal(other.state["cpu"], one.state["cpu"])
