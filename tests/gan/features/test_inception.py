"""Inception's features, with a stand-in for the package that has it."""

import importlib.util
import pickle
import sys
from types import ModuleType
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gansearch.gan import check_task, load_task
from gansearch.gan.features.inception import WIDTH, inception_features, network
from gansearch.gan.features.named import features_named
from gansearch.gan.task import TaskError

MODULE = "torch_fidelity.feature_extractor_inceptionv3"


class Inception(nn.Module):
    """As torch-fidelity's is called; its features are the mean brightness of each colour."""

    def __init__(self, name: str, features_list: list[str], feature_extractor_weights_path: str | None = None):
        super().__init__()
        self.path = feature_extractor_weights_path
        assert features_list == ["2048"]
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, pixels):
        assert (pixels.dtype, pixels.shape[1]) == (torch.uint8, 3)
        assert len(pixels) <= 50
        return (self.one * pixels.float().mean((2, 3)),)


@pytest.fixture(autouse=True)
def _once():
    for kept in (network, features_named):
        kept.cache_clear()
    yield
    for kept in (network, features_named):
        kept.cache_clear()


@pytest.fixture
def stand_in(monkeypatch):
    module = ModuleType(MODULE)
    module.FeatureExtractorInceptionV3 = Inception
    module.URL_INCEPTION_V3 = "https://weights.example/inception.pth"
    loaded = []
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda url, **how: loaded.append((url, how)))
    module.loaded = loaded
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
    assert set(quality) == {"distance", "kid", "kid_error", "coverage"}  # of so few, not the FID
    assert quality["distance"] == pytest.approx(quality["kid"], rel=0.5)
    plain = load_task(
        "images", {"path": str(tmp_path), "size": 16, "features": "inception", "distance": "plain_frechet"}
    )
    assert plain.quality(real, -real)["distance"] == pytest.approx(
        float((255 - 2 * inception_features(real).mean(0)).square().sum()), rel=0.1
    )


def test_weights_are_loaded_without_pickle_before_the_package_unpickles_them(stand_in, tmp_path):
    network()
    assert stand_in.loaded == [(stand_in.URL_INCEPTION_V3, {"map_location": "cpu", "weights_only": True})]
    weights = tmp_path / "weights.pth"
    torch.save({"one": torch.ones(())}, weights)
    assert network(str(weights)).path == str(weights)
    assert features_named("inception", str(weights)).width == WIDTH
    evil = tmp_path / "evil.pth"
    evil.write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(TaskError, match=r"evil\.pth cannot be had \(UnpicklingError"):
        network(str(evil))
    with pytest.raises(TaskError, match=r"nowhere cannot be had \(FileNotFoundError.*give a file, weights: PATH"):
        network("nowhere")


class Evil:
    def __reduce__(self):
        return print, ("it ran",)


def test_the_package_itself_computes_features_by_weights_from_a_file(monkeypatch, tmp_path):
    if importlib.util.find_spec("torch_fidelity") is None:
        pytest.skip("pip install 'gansearch[inception]'")
    for name in ("", ".datasets", ".transforms", ".transforms.functional"):  # of which Inception needs nothing
        module = ModuleType(f"torchvision{name}")
        for attribute in ("CIFAR10", "CIFAR100", "STL10"):
            setattr(module, attribute, object)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    package = importlib.import_module(MODULE)
    torch.save({}, tmp_path / "none.pth")
    with monkeypatch.context() as patched, torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        patched.setattr(nn.Module, "load_state_dict", lambda *given: None)
        drawn = package.FeatureExtractorInceptionV3("drawn", ["2048"], str(tmp_path / "none.pth"))
    torch.save(drawn.state_dict(), tmp_path / "weights.pth")
    features = features_named("inception", str(tmp_path / "weights.pth"))
    images = torch.rand(4, 1, 16, 16) * 2 - 1
    found = features(images)
    assert found.shape == (4, WIDTH)
    pixels = ((images + 1) * 127.5).round().byte().expand(-1, 3, -1, -1)
    assert torch.allclose(found, drawn(pixels)[0])


def test_missing_weights_and_packages_are_errors_of_the_task(stand_in, monkeypatch, tmp_path):
    options = {"path": str(tmp_path), "features": "inception"}

    def offline(*given, **how):
        raise URLError("no route to host")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    with pytest.raises(TaskError, match=r"weights of inception cannot be had \(URLError.* or write features: random"):
        load_task("images", options)
    monkeypatch.setitem(sys.modules, MODULE, None)
    with pytest.raises(TaskError, match=r"pip install 'gansearch\[inception\]'"):
        load_task("images", options)
    with pytest.raises(
        TaskError,
        match="features: 'inceptoin' is not one of random, inception, clip, dinov2; did you mean \"inception\"",
    ):
        load_task("images", {**options, "features": "inceptoin"})
