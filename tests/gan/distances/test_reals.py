import torch

from gansearch.gan.distances import reals
from gansearch.gan.distances.kernel import kid
from gansearch.gan.distances.reals import Reals, reals_of


class Counted:
    """Features that count their calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, samples):
        self.calls += 1
        return torch.as_tensor([[float(len(one))] for one in samples])


def test_features_are_computed_once_for_equal_samples_wherever_they_lie():
    features, samples = Counted(), torch.rand(20, 3)
    first = reals_of(samples, features)
    assert reals_of(samples.clone(), features) is first
    assert features.calls == 1
    changed = samples.clone()
    changed[7, 1] += 1e-6
    assert reals_of(changed, features) is not first
    assert reals_of(samples.view(10, 6), features) is not first  # the same bytes
    assert features.calls == 3
    assert reals_of(samples, Counted()) is not first


def test_texts_are_told_apart_too():
    features = Counted()
    assert reals_of(["ab", "c"], features) is reals_of(["ab", "c"], features)
    assert reals_of(["a", "bc"], features) is not reals_of(["ab", "c"], features)


def test_few_sets_are_kept():
    features = Counted()
    for _ in range(5):
        reals_of(torch.rand(10, 2), features)
    assert len(reals._KEPT) == reals._MOST


def test_the_noise_is_the_error_of_as_many_reals_against_others():
    draws = torch.Generator().manual_seed(0)
    noise = Reals(torch.rand(1_000, 4, generator=draws)).noise(kid)
    other = kid(torch.rand(1_000, 4, generator=draws), torch.rand(1_000, 4, generator=draws)).error
    assert other / 2 < noise < 2 * other  # errors of a thousand samples at a distance of 0 vary so much
