"""Pictures of data sets that torchvision and Hugging Face know by name, where these packages are installed."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from gansearch.experiment import suggest
from gansearch.gan.options import option_error
from gansearch.gan.readers.cache import cache_folder
from gansearch.gan.readers.files import path_errors, reason
from gansearch.gan.readers.images import Source
from gansearch.gan.task import TaskError

_LABELS = ("targets", "labels", "_labels")
"""Attributes by which data sets of torchvision have the classes of all their pictures."""


def in_torchvision(name: str) -> Source:
    """Returns the data set that a class of torchvision.datasets gives by default, downloaded into the cache."""
    datasets = package("torchvision.datasets", "torchvision", f"task_options.path: torchvision:{name} needs a package")
    known = [key for key, value in vars(datasets).items() if inspect.isclass(value) and hasattr(value, "__getitem__")]
    if name not in known:
        raise option_error("path", f"torchvision has no data set {name}{suggest(name, known)}")
    make = getattr(datasets, name)
    options = {"root": str(cache_folder() / "torchvision"), "download": True}
    allowed = inspect.signature(make).parameters
    with path_errors(f"torchvision:{name} cannot be had"):
        pictures = make(**{key: value for key, value in options.items() if key in allowed})
        count = len(pictures)
    source = _numbered(f"of torchvision:{name}", count, str(count), lambda index: pictures[index][0])
    numbers = next((found for key in _LABELS if (found := getattr(pictures, key, None)) is not None), None)
    if numbers is None:
        return source
    return source._replace(labels=lambda: _named([int(one) for one in numbers], getattr(pictures, "classes", ())))


def in_hugging_face(name: str) -> Source:
    """Returns the training split, or the first one, of a data set on the Hub; its first column of images."""
    datasets = package("datasets", "huggingface", f"task_options.path: hf:{name} needs a package")
    with path_errors(f"hf:{name} cannot be had"):
        splits = datasets.load_dataset(name)
        table = splits["train" if "train" in splits else next(iter(splits))]
    columns = [column for column, kind in table.features.items() if type(kind).__name__ == "Image"]
    if not columns:
        raise option_error("path", f"hf:{name} has no column of images, but {', '.join(table.features) or 'nothing'}")
    source = _numbered(f"of hf:{name}", len(table), table._fingerprint, lambda index: table[index][columns[0]])
    labels = [(column, kind.names) for column, kind in table.features.items() if type(kind).__name__ == "ClassLabel"]
    if not labels:
        return source
    column, names = labels[0]
    return source._replace(labels=lambda: _named(table[column], names))


def package(module: str, extra: str, needs: str) -> ModuleType:
    """Imports a module of an optional package. Raises TaskError that begins with `needs` and names our extra."""
    try:
        return importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 (torchvision beside another torch raises RuntimeError)
        why = reason(error)
        raise TaskError(f"{needs} that cannot be imported ({why}); pip install 'gansearch[{extra}]'") from None


def _named(numbers: Sequence[int], names: Sequence[str]) -> list[str]:
    """The names of classes that have some, and else their numbers, of equal length so that they keep their order."""
    width = len(str(max(numbers, default=0)))
    return [str(names[one]) if 0 <= one < len(names) else f"{one:0{width}}" for one in numbers]


def _numbered(where: str, count: int, version: str, open: Callable[[int], Any]) -> Source:
    """Pictures without names of their own."""
    return Source(where, [f"number {index}" for index in range(count)], open, version=f"{where} {version}")
