"""Pictures by the names of torchvision's and Hugging Face's data sets, with stand-ins for the packages."""

import sys
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from gansearch.experiment import Experiment
from gansearch.gan import check_task, load_task
from gansearch.gan.task import TaskError

PICTURES = [Image.fromarray(np.full((20, 30, 3), [place, 0, 255], np.uint8)) for place in range(60)]


class Flowers:
    """As torchvision's classes are called."""

    def __init__(self, root: str, split: str = "train", transform=None, download: bool = False):
        assert download, "nobody has it yet"
        self.root = root
        self._labels, self.classes = [place % 3 for place in range(60)], ["rose", "oak", "aster"]

    def __len__(self):
        return len(PICTURES)

    def __getitem__(self, place):
        return PICTURES[place], 0


class Wanting:
    def __init__(self, root: str, annotations: str):
        pass

    def __getitem__(self, place):
        raise NotImplementedError


class Table(list):
    """As Hugging Face's tables are read."""

    _fingerprint = "abc"

    def __getitem__(self, key):
        return [row[key] for row in self] if isinstance(key, str) else super().__getitem__(key)

    def __init__(self, rows, features):
        super().__init__(rows)
        self.features = features


@pytest.fixture
def packages(monkeypatch):
    def load_dataset(name):
        if name == "nobody/nothing":
            raise FileNotFoundError("no such data set\non the Hub")
        image = type("Image", (), {})()
        label = type("ClassLabel", (), {"names": ["rose", "oak", "aster"]})()
        kinds = {"label": label, "picture": image} if name != "somebody/words" else {"text": 0}
        return {"train": Table([{"label": i % 3, "picture": one} for i, one in enumerate(PICTURES)], kinds)}

    torchvision, datasets, found = ModuleType("torchvision"), ModuleType("torchvision.datasets"), ModuleType("datasets")
    datasets.Flowers, datasets.Wanting, found.load_dataset = Flowers, Wanting, load_dataset
    for module in (torchvision, datasets, found):
        monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.parametrize("path", ["torchvision:Flowers", "hf:somebody/flowers"])
def test_the_labels_of_a_data_set_are_its_classes(packages, path):
    task = load_task("images", {"path": path, "size": 16, "condition": "labels"})
    check_task(task)
    assert task.class_names() == ["aster", "oak", "rose"]
    assert task.labels()[:4].tolist() == [2, 1, 0, 2]
    assert task.described()[0] == "3 classes: aster (20), oak (20), rose (20)"


@pytest.mark.parametrize("path", ["torchvision:Flowers", "hf:somebody/flowers"])
def test_a_data_set_by_its_name_is_pictures_as_others(packages, path):
    experiment = Experiment.parse({"name": "x", "task": "images", "task_options": {"path": path, "size": 16}})
    task = load_task(experiment.task, experiment.task_options)
    check_task(task)
    assert task.real().shape == (60, 3, 16, 16)
    assert task.real()[7, :, 0, 0].tolist() == [7, 0, 255]
    assert task.warnings() == []


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("torchvision:Flower", 'torchvision has no data set Flower; did you mean "Flowers"?'),
        ("torchvision:Wanting", "torchvision:Wanting cannot be had (TypeError: "),
        ("hf:nobody/nothing", "hf:nobody/nothing cannot be had (FileNotFoundError: no such data set)"),
        ("hf:somebody/words", "hf:somebody/words has no column of images, but text"),
    ],
)
def test_errors_are_one_line(packages, path, part):
    with pytest.raises(TaskError) as error:
        check_task(load_task("images", {"path": path}))
    assert part in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("path", "extra"), [("torchvision:CIFAR10", "torchvision"), ("hf:mnist", "huggingface")])
def test_a_package_that_is_missing_or_broken_is_named_with_its_extra(monkeypatch, path, extra):
    for module in ("torchvision", "torchvision.datasets", "datasets"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(TaskError, match=rf"pip install 'gansearch\[{extra}\]'"):
        check_task(load_task("images", {"path": path}))
