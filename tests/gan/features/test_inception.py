"""Inception's features, with a stand-in for the package that has it."""

import sys
from types import ModuleType
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gansearch.gan import check_task, load_task
from gansearch.gan.features.inception import inception_features, network
from gansearch.gan.task import TaskError

MODULE = "torch_fidelity.feature_extractor_inceptionv3"


class Inception(nn.Module):
    """As torch-fidelity's is called; its features are the mean brightness of each colour."""

    def __init__(self, name: str, features_list: list[str]):
        super().__init__()
        assert features_list == ["2048"]
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, pixels):
        assert (pixels.dtype, pixels.shape[1]) == (torch.uint8, 3)
        assert len(pixels) <= 50
        return (self.one * pixels.float().mean((2, 3)),)


@pytest.fixture(autouse=True)
def _once():
    network.cache_clear()
    yield
    network.cache_clear()


@pytest.fixture
def stand_in(monkeypatch):
    module = ModuleType(MODULE)
    module.FeatureExtractorInceptionV3 = Inception
    monkeypatch.setitem(sys.modules, "torch_fidelity", ModuleType("torch_fidelity"))
    monkeypatch.setitem(sys.modules, MODULE, module)
    return module


def test_the_network_gets_bytes_of_three_colours(stand_in):
    images = torch.linspace(-1, 1, 120)[:, None, None, None].expand(120, 1, 4, 4)
    features = inception_features(images)
    assert features.shape == (120, 3)
    assert features[[0, -1]].tolist() == [[0, 0, 0], [255, 255, 255]]
    assert inception_features(torch.full((2, 3, 4, 4), 3.0)).max() == 255  # not 127, as bytes that overflow


def test_pictures_are_compared_by_its_features(stand_in, tmp_path):
    for number in range(60):
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (20, 20, 3), np.uint8)).save(
            tmp_path / f"{number}.png"
        )
    task = load_task("images", {"path": str(tmp_path), "size": 16, "features": "inception"})
    check_task(task)
    real = task.unpacked(task.real())
    quality = task.quality(real, -real)
    assert quality["distance"] == pytest.approx(
        float((255 - 2 * inception_features(real).mean(0)).square().sum()), rel=0.1
    )
    assert set(quality) == {"distance", "coverage"}


def test_missing_weights_and_packages_are_errors_of_the_task(stand_in, monkeypatch, tmp_path):
    options = {"path": str(tmp_path), "features": "inception"}

    def offline(*given):
        raise URLError("no route to host")

    monkeypatch.setattr(stand_in, "FeatureExtractorInceptionV3", offline)
    with pytest.raises(TaskError, match=r"weights of inception cannot be had \(URLError.* or write features: random"):
        load_task("images", options)
    monkeypatch.setitem(sys.modules, MODULE, None)
    with pytest.raises(TaskError, match=r"pip install 'gansearch\[inception\]'"):
        load_task("images", options)
    with pytest.raises(
        TaskError, match="features: 'inceptoin' is not one of random, inception; did you mean \"inception\""
    ):
        load_task("images", {**options, "features": "inceptoin"})
