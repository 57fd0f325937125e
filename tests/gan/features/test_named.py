import pytest
import torch

from gansearch.gan.features.named import features_named
from gansearch.gan.task import TaskError


def test_random_features_need_no_weights_and_are_the_same_object():
    features = features_named("random")
    assert features is features_named("random")
    assert features(torch.zeros(12, 1, 16, 16)).shape == (12, features.width)
    with pytest.raises(TaskError, match=r"weights: random features have none"):
        features_named("random", "somewhere")


def test_a_wrong_name_gets_a_suggestion():
    with pytest.raises(TaskError, match=r"'dino' is not one of random, .*did you mean .dinov2"):
        features_named("dino")
