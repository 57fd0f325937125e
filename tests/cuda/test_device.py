"""The pretended CUDA device keeps CUDA's rules: without that nothing that other tests show with it means anything."""

import copy
import io

import pytest
import torch
from torch import nn

DIFFERENT = "Expected all tensors to be on the same device"


def device_values():
    """Tensors of the device and of the host, and a network, by the names that the rules below use."""
    network = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1)).to("cuda")
    pinned = torch.ones(4, 3).pin_memory()
    x = torch.randn(4, 3, device="cuda", generator=torch.Generator("cuda").manual_seed(0))
    return {"torch": torch, "x": x, "host": torch.ones(4, 3), "network": network, "pinned": pinned}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("x + host", DIFFERENT),
        ("host.mul(x.sum())", DIFFERENT),
        ("host.add_(x[0])", DIFFERENT),
        ("torch.cat([x, host])", DIFFERENT),
        ("torch.stack([x.sum(), torch.tensor(1.0)])", DIFFERENT),
        ("network(host)", DIFFERENT),
        ("torch.where(x > 0, host, x)", DIFFERENT),
        ("host[torch.zeros(2, dtype=torch.long, device='cuda')]", "indices should be either on cpu"),
        ("torch.randn(2, device='cuda', generator=torch.Generator())", "Expected a 'cuda' device type for generator"),
        ("torch.randn(2, generator=torch.Generator('cuda'))", "Expected a 'cpu' device type for generator"),
        ("torch.Generator('cuda').set_state(torch.Generator().get_state())", "wrong size"),
        ("x.numpy()", "can't convert cuda:0 device type tensor to numpy"),
    ],
)
def test_what_cuda_refuses_is_refused(cuda, expression, message):
    with pytest.raises((RuntimeError, TypeError), match=message):
        eval(expression, device_values())


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("x + 1", 0),
        ("x * torch.tensor(2.0)", 0),
        ("x[1:].T.reshape(-1)", 0),
        ("x[torch.zeros(2, dtype=torch.long, device='cuda')]", 0),
        ("torch.full((), 2.0, device='cuda')", 0),
        ("network(x).sum().backward()", 0),
        ("pinned.to('cuda', non_blocking=True)", 0),
        ("x.to('cpu', non_blocking=True)", 0),
        ("torch.lerp(x, x, 0.1).copy_(x)", 0),
        ("float(x.sum())", 1),
        ("bool((x > 0).any())", 1),
        ("x.cpu()", 1),
        ("x.tolist()", 1),
        ("host.to('cuda')", 1),
        ("host.to('cuda', non_blocking=True)", 1),
        ("pinned.double().to('cuda', non_blocking=True)", 1),
        ("pinned.to('cuda', torch.float64, non_blocking=True)", 1),
        ("pinned[torch.zeros(2, dtype=torch.long)].to('cuda', non_blocking=True)", 1),
        ("pinned.to('cuda')", 1),
        ("torch.tensor([1.0], device='cuda')", 1),
        ("torch.equal(x, x)", 1),
        ("torch.allclose(x, x)", 1),
        ("x.nonzero()", 1),
        ("x[torch.zeros(2, dtype=torch.long)]", 1),
        ("torch.cuda.synchronize()", 1),
    ],
)
def test_the_host_waits_where_it_does_on_cuda(cuda, expression, count):
    names = device_values()
    with cuda.waits() as seen:
        eval(expression, names)
    assert sum(seen.values()) == count, seen


def test_a_wait_is_named_by_the_line_of_gansearch_that_asked_for_it(cuda):
    from gansearch.stability.transfer import to_host

    with cuda.waits() as seen:
        to_host(torch.ones(2, device="cuda"), torch.ones(3, device="cuda"))
    ((name, count),) = seen.items()
    assert count == 1
    assert name.startswith("synchronize, stability/transfer.py:")
    assert name.endswith(" to_host")


def test_what_is_copied_asynchronously_is_nonsense_until_somebody_waits(cuda):
    x = torch.arange(3.0, device="cuda")
    early, late = x.to("cpu", non_blocking=True), torch.cuda.Event()
    late.record()
    after = x.to("cpu", non_blocking=True)
    assert early.isnan().all()
    late.synchronize()
    assert early.tolist() == [0, 1, 2]
    assert after.isnan().all()
    torch.cuda.synchronize()
    assert after.tolist() == [0, 1, 2]


def test_numbers_are_those_of_the_cpu(cuda):
    x = torch.randn(8, 1, 8, 8)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(64, 1)
    )
    results = []
    for device in ("cpu", "cuda"):
        own = copy.deepcopy(network).to(device)
        optimizer = torch.optim.Adam(own.parameters(), 0.01, fused=True)
        inputs = x.to(device).requires_grad_()
        scores = own(inputs)
        (gradient,) = torch.autograd.grad(scores.sum(), inputs, create_graph=True)
        (scores.mean() + gradient.square().sum()).backward()
        optimizer.step()
        results.append([tensor.cpu() for tensor in own.state_dict().values()])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_random_numbers_continue_from_a_state_that_holds_an_offset(cuda):
    generator = torch.Generator("cuda").manual_seed(3)
    first = torch.randn(3, device="cuda", generator=generator)
    generator.set_offset(8)
    state = generator.get_state()
    expected = torch.randn(3, device="cuda", generator=generator)
    generator.manual_seed(4)
    assert generator.get_offset() == 0
    generator.set_state(state)
    assert generator.get_offset() == 8
    assert torch.equal(torch.randn(3, device="cuda", generator=generator), expected)
    assert not torch.equal(first, expected)


def test_layers_draw_from_the_global_numbers_of_the_device(cuda):
    torch.manual_seed(1)
    state = torch.cuda.get_rng_state()
    drawn = torch.randn(3, device="cuda")
    torch.cuda.set_rng_state(state)
    assert torch.equal(torch.randn(3, device="cuda"), drawn)


def test_what_is_saved_on_the_device_is_loaded_on_the_host(cuda):
    file = io.BytesIO()
    torch.save({"x": torch.ones(3, device="cuda")}, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=True, map_location="cpu")["x"]
    assert loaded.device.type == "cpu"
    assert loaded.tolist() == [1, 1, 1]


def test_views_share_their_memory_and_results_may_be_written_into_given_tensors(cuda):
    x = torch.zeros(4, 3, device="cuda")
    x.T[0].add_(1)
    x[1, 2] = 5
    assert x.tolist() == [[1, 0, 0], [1, 0, 5], [1, 0, 0], [1, 0, 0]]
    out = torch.empty(0, device="cuda")
    torch.cat([x, x], out=out)
    assert out.shape == (8, 3)


def test_a_wait_raises_where_waits_are_errors(cuda):
    x = torch.ones(3, device="cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        with pytest.raises(RuntimeError, match="called a synchronizing CUDA operation"):
            float(x.sum())
        x.add_(1)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert float(x.sum()) == 6


def test_a_graph_repeats_what_was_called_on_the_device_with_what_is_there_then(cuda):
    draws, kept = torch.Generator("cuda").manual_seed(0), torch.ones(3, device="cuda")
    network, factor, graph = nn.BatchNorm1d(3).to("cuda"), 2.0, torch.cuda.CUDAGraph()
    state = draws.get_state()
    graph.register_generator_state(draws)
    with torch.cuda.graph(graph, stream=torch.cuda.Stream()):
        drawn = torch.randn(4, 3, device="cuda", generator=draws)
        kept.mul_(factor)
        loss = network(drawn + kept).square().mean() + kept.sum()
        loss.backward()
    assert loss.isnan()
    assert kept.tolist() == [1, 1, 1]
    assert network.num_batches_tracked == 0
    assert network.running_mean.tolist() == [0, 0, 0]
    assert torch.equal(draws.get_state(), state)
    factor = 3.0
    kept.fill_(5)
    for _ in range(2):
        graph.replay()
    assert kept.tolist() == [20, 20, 20]
    assert float(loss) == pytest.approx(61, abs=0.1)
    assert network.num_batches_tracked == 2
    draws.set_state(state)
    torch.randn(4, 3, device="cuda", generator=draws)
    assert torch.equal(drawn, torch.randn(4, 3, device="cuda", generator=draws))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("float(x.sum())", "not permitted when stream is capturing"),
        ("x[x > 0]", "not permitted when stream is capturing"),
        ("host.to('cuda')", "not permitted when stream is capturing"),
        ("torch.randn(2, device='cuda', generator=torch.Generator('cuda'))", "not in capture mode"),
    ],
)
def test_what_no_capture_takes_breaks_it_off(cuda, expression, message):
    graph, values = torch.cuda.CUDAGraph(), device_values()
    graph.register_generator_state(torch.Generator("cuda"))
    with pytest.raises(RuntimeError, match="previous error during capture") as raised, torch.cuda.graph(graph):
        eval(expression, values)
    assert message in str(raised.value.__context__)
