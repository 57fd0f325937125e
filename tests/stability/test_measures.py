"""Closed forms for two unit Gaussians at distance δ with the optimal D (SCIENCE: exact oracles)."""

import math
from statistics import NormalDist

import pytest
import torch

from gansearch.stability import measures
from gansearch.stability.monitor import StabilityMonitor

PHI = NormalDist().cdf
DRAWS = 400_000


def optimal_scores(delta: float, n: int = DRAWS) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of the optimal D: N(δ²/2, δ²) on real and N(−δ²/2, δ²) on fake samples."""
    draws = torch.Generator().manual_seed(0)
    real, fake = (delta * torch.randn(n, generator=draws, dtype=torch.float64) for _ in range(2))
    return real + delta**2 / 2, fake - delta**2 / 2


def exact_saturation(delta: float, epsilon: float) -> float:
    tau = measures.threshold(epsilon)
    return PHI((delta**2 / 2 - tau) / delta) + PHI((-tau - delta**2 / 2) / delta)


@pytest.mark.parametrize(
    ("delta", "accuracy", "at_05", "at_01"),
    [(1, 0.6915, 0.0075, 0.000), (2, 0.8413, 0.325, 0.098), (3, 0.9332, 0.704, 0.489), (6, 0.9987, 0.994, 0.987)],
)
def test_the_gaussian_table(delta, accuracy, at_05, at_01):
    monitor = StabilityMonitor()
    monitor.update(*optimal_scores(delta))
    (row,) = monitor.rows()
    sampling = 4 / math.sqrt(2 * DRAWS)
    assert row.accuracy == pytest.approx(accuracy, abs=sampling)
    assert row.mean_separability == pytest.approx(PHI(delta / math.sqrt(2)), abs=sampling)
    for epsilon, share in ((0.05, at_05), (0.01, at_01)):
        assert exact_saturation(delta, epsilon) == pytest.approx(share, abs=6e-4)
        both = row.saturated_right(epsilon) + row.saturated_wrong(epsilon)
        assert both == pytest.approx(exact_saturation(delta, epsilon), abs=sampling)


@pytest.mark.parametrize("delta", [0.5, 1, 2, 3, 6])
@pytest.mark.parametrize("epsilon", measures.EPSILONS)
def test_saturation_lies_between_its_bounds_by_the_divergence(delta, epsilon):
    real, fake = optimal_scores(delta)
    jsd = (math.log(4) - float(measures.discriminator_loss(real, fake))) / 2
    entropy = -epsilon * math.log(epsilon) - (1 - epsilon) * math.log(1 - epsilon)
    saturation = exact_saturation(delta, epsilon)
    slack = 5e-3
    assert 1 - (math.log(2) - jsd) / entropy - slack <= saturation
    if math.log(2) > entropy:
        assert saturation <= jsd / (math.log(2) - entropy) + slack


def test_a_histogram_s_ends_are_what_is_saturated():
    logits = torch.logit(torch.tensor([0.01, 0.049, 0.051, 0.5001, 0.96, 1 - 1e-9, 1.0], dtype=torch.float64))
    counts = measures.histogram(logits).tolist()
    assert {place: count for place, count in enumerate(counts) if count} == {0: 2, 1: 1, 10: 1, 19: 3}
    above, below = measures.saturation_counts(logits)[1::3]  # within .05
    assert (counts[0], counts[-1]) == (below, above)


def test_separability_is_the_share_of_ordered_pairs_with_ties_halved():
    real, fake = torch.tensor([3.0, 1.0, 2.0]), torch.tensor([1.0, 0.0])
    pairs = [(r > f) + (r == f) / 2 for r in real.tolist() for f in fake.tolist()]
    assert float(measures.separability(real, fake)) == pytest.approx(sum(pairs) / 6)
    assert float(measures.separability(fake, fake)) == 0.5


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (40.0, 300.0), (1e-3, -7.0)])
def test_calibration_finds_the_probability_behind_any_affine_score(scale, shift):
    real, fake = optimal_scores(2.0, 20_000)
    calibrated = measures.calibrate(real * scale + shift, fake * scale + shift)
    assert calibrated[0] == pytest.approx(real[1::2], rel=0.1, abs=0.1)
    saturated = (torch.cat(calibrated).abs() > measures.threshold(0.05)).double().mean()
    assert float(saturated) == pytest.approx(exact_saturation(2.0, 0.05), abs=0.02)


def test_calibration_of_scores_that_tell_nothing_is_one_half():
    same = torch.zeros(64)
    assert all(part.sigmoid() == pytest.approx(0.5, abs=1e-3) for part in measures.calibrate(same, same))


def test_relativistic_logits_do_not_move_with_the_scores():
    real, fake = torch.randn(9), torch.randn(9)
    for ours, shifted in zip(measures.relativistic(real, fake), measures.relativistic(real + 5, fake + 5), strict=True):
        assert ours == pytest.approx(shifted, abs=1e-5)


def compared(real, fake):
    """Energy, diversity and distinctness of two sets of samples."""
    among = measures.distances(real), measures.distances(fake)
    within = [measures.mean_distance(one) for one in among]
    energy = measures.energy(measures.distances(real, fake).mean(), *within)
    return energy, measures.diversity(*among), measures.distinctness(*among)


@pytest.mark.parametrize("shape", [(2,), (1, 4, 4), (3, 8, 8)])
def test_diversity_of_one_point_is_nothing_and_of_the_data_itself_one(shape):
    data = torch.randn(300, *shape, generator=torch.Generator().manual_seed(0)) + 100
    assert compared(data, data[:1].expand_as(data))[1:] == pytest.approx((0, 0), abs=0.02)
    assert compared(data, data.flip(0))[1:] == pytest.approx((1, 1), abs=1e-3)


def test_five_samples_repeated_are_diverse_but_not_distinct():
    data = torch.randn(300, 10, generator=torch.Generator().manual_seed(0))
    _, diversity, distinctness = compared(data, data[torch.arange(300) % 5])
    assert diversity == pytest.approx(0.8, abs=0.1)
    assert distinctness == 0


def test_copies_are_fakes_far_nearer_to_their_neighbour_than_reals():
    data = torch.randn(300, 10, generator=torch.Generator().manual_seed(0))
    half = torch.cat([data[:150], data[:5].repeat(30, 1)])
    nearest_real, nearest_half = (measures.nearest(measures.distances(one)) for one in (data, half))
    assert float(measures.copies(nearest_real, nearest_half, 0.01)) == pytest.approx(0.5, abs=0.02)
    assert float(measures.copies(nearest_real, nearest_real, 0.01)) == 0
    assert measures.nearest(torch.zeros(1, 1)).tolist() == [0]


def test_data_that_repeat_themselves_say_nothing_of_copies():
    zeros = torch.zeros(300)
    assert float(measures.copies(torch.cat([zeros[:20], zeros[20:] + 1]), zeros, 0.01)) == 0
    assert float(measures.copies(torch.cat([zeros[:10], zeros[10:] + 1]), zeros, 0.01)) == 1
    assert float(measures.copies(zeros, zeros, 0.01)) == 0


def test_energy_is_nothing_for_the_same_distribution_and_all_for_two_points():
    real, fake = torch.randn(2, 1000, 3, generator=torch.Generator().manual_seed(0))
    assert compared(real, fake)[0] < 0.002
    spread = torch.linspace(0, 1e-3, 50)[:, None]
    assert compared(spread, torch.ones(50, 1))[0] == pytest.approx(1, abs=1e-3)
    # N(0,1) against N(μ,1) for a large μ: (2μ − 4/√π) / 2μ, since E|X−X'| = 2/√π.
    far, _, _ = compared(real[:, :1], fake[:, :1] + 10)
    assert far == pytest.approx((20 - 4 / math.sqrt(math.pi)) / 20, abs=0.01)


def test_reals_that_are_all_the_same_have_no_diversity_to_lose():
    same = torch.zeros(20, 1)
    assert compared(same, same) == (0, 1, 1)
    assert compared(same, same + 1e-3)[0] == pytest.approx(2e-3)
    assert compared(same, same + 3)[0] == 1


@pytest.mark.parametrize("width", [2, 64])
def test_distances_are_those_of_the_definition(width):
    x, y = torch.randn(2, 7, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 50
    exact = (x[:, None] - y[None]).square().sum(-1).sqrt()
    assert measures.distances(x, y) == pytest.approx(exact, rel=1e-4)


def test_a_critic_that_ranks_fakes_first_is_wrong_however_it_is_scaled():
    real, fake = optimal_scores(6.0, 2_000)
    calibrated_real, calibrated_fake = measures.calibrate(-real, -fake)
    assert calibrated_real.mean() < -measures.threshold(0.05)
    assert calibrated_fake.mean() > measures.threshold(0.05)
