import math

import pytest
import torch

from gansearch.gan import quality
from gansearch.gan.data import data_of
from gansearch.gan.distances.kernel import kid
from gansearch.gan.distances.named import DISTANCES, ENOUGH, chosen, distance_told
from gansearch.gan.distances.reals import Reals
from gansearch.gan.features.named import Features
from gansearch.gan.task import Task, TaskError


def two(count, width=4, shift=0.0):
    draws = torch.Generator().manual_seed(0)
    return torch.randn(count, width, generator=draws), torch.randn(count, width, generator=draws) + shift


def test_kid_is_recorded_above_zero_beside_the_estimate():
    real, _ = two(100)
    reals = Reals(real)
    measured = DISTANCES["kid"].measure(reals, real)  # the estimate is below 0
    assert measured["kid"] < 0 < measured["distance"] < reals.noise(kid)
    far = DISTANCES["kid"].measure(reals, real + 3)
    assert far["distance"] == pytest.approx(far["kid"], rel=1e-3)
    assert set(far) == {"distance", "kid", "kid_error"}


def test_a_frechet_distance_of_few_samples_is_extrapolated_or_refused_and_of_many_plain():
    real, fake = two(200, shift=0.5)
    measured = DISTANCES["fid"].measure(Reals(real), fake)
    assert set(measured) == {"distance", "fid_infinity", "fid_infinity_error"}
    assert measured["distance"] == pytest.approx(measured["fid_infinity"], rel=0.05)
    assert measured["distance"] < quality.frechet(real, fake)
    with pytest.raises(TaskError, match=r"fid of 200 held-out samples .* from 400 on, .* write distance: kid"):
        DISTANCES["fid"].measure(Reals(torch.rand(200, 200)), torch.rand(200, 200))
    real, fake = two(ENOUGH)
    assert DISTANCES["fid"].measure(Reals(real), fake) == {"distance": quality.frechet(real, fake)}
    with pytest.raises(TaskError, match="kid of 9 samples says nothing"):
        DISTANCES["kid"].measure(Reals(real[:9]), fake[:9])


def test_plain_frechet_stays_plain():
    real, fake = two(50)
    assert DISTANCES["plain_frechet"].measure(Reals(real), fake) == {"distance": quality.frechet(real, fake)}


def test_auto_is_the_distance_of_the_literature_or_kid_where_there_are_few():
    found = {features: chosen("auto", features, 300).name for features in ("random", "inception", "clip", "dinov2")}
    assert found == {"random": "plain_frechet", "inception": "kid", "clip": "cmmd", "dinov2": "kid"}
    assert chosen("auto", "inception", ENOUGH).name == "fid"
    assert chosen("fid", "inception", 300).name == "fid"


class Small(Task):
    def real(self):
        return torch.rand(500, 3)


def test_check_says_how_many_samples_and_which_bias_and_refuses_before_training():
    task, narrow, wide = Small(), Features("few", 4, torch.clone), Features("many", 2048, torch.clone)
    assert distance_told(task, "kid", narrow) == []  # nothing has been read
    data_of(task, torch.device("cpu"))
    said = {name: distance_told(task, name, narrow) for name in ("kid", "fid", "plain_frechet")}
    for lines in said.values():
        assert len(lines) == 1
        assert "on 4 features (few) of 100 held-out samples" in lines[0]
    assert "unbiased at any number" in said["kid"][0]
    assert "extrapolated to infinitely many" in said["fid"][0]
    assert "larger by a bias" in said["plain_frechet"][0]
    odd = [name for name in said if distance_told(task, name, narrow, only_if_odd=True)]
    assert odd == ["fid"]
    assert "kid on" in distance_told(task, "auto", Features("inception", 2048, torch.clone), only_if_odd=True)[0]
    with pytest.raises(TaskError, match="can be corrected from 4,096 on"):
        distance_told(task, "fid", wide)
    assert "mauve of 100 held-out samples" in distance_told(task, "mauve", None)[0]
    assert distance_told(task, "mauve", None, only_if_odd=True) == []
    assert "papers" in DISTANCES["fid"].said(ENOUGH, 2048, "inception")


def test_a_distance_that_is_no_number_stays_none():
    measured = DISTANCES["kid"].measure(Reals(two(20)[0]), torch.full((20, 4), math.inf))
    assert not math.isfinite(measured["distance"])


def test_classes_beside_the_features_count_among_them():
    class Classes(Small):
        def labels(self):
            return torch.arange(500) % 20

    task, features = Classes(), Features("few", 40, torch.clone)
    real, *y = data_of(task, torch.device("cpu")).first(100)
    joint = quality.joint(features(real).repeat(1, 14)[:, :40], features(real).repeat(1, 14)[:, :40], *y)
    assert joint[0].shape == (100, 60)
    with pytest.raises(TaskError, match="from 120 on, twice the 60 features"):
        DISTANCES["frechet"].measure(Reals(joint[0]), joint[1])
    with pytest.raises(TaskError, match="from 120 on, twice the 60 features"):
        distance_told(task, "frechet", features)
