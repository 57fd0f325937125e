"""Pictures of data sets that torchvision and Hugging Face know by name, where those packages are installed."""

from __future__ import annotations

import difflib
import importlib
import inspect
from types import ModuleType
from typing import Any

from gansearch.gan.readers.cache import cache_folder
from gansearch.gan.readers.images import Source
from gansearch.gan.task import TaskError


def in_torchvision(name: str) -> Source:
    """The training part of a class of torchvision.datasets, downloaded into the cache where it can be."""
    datasets = package("torchvision.datasets", "torchvision", f"task_options.path: torchvision:{name} needs a package")
    known = [key for key, value in vars(datasets).items() if inspect.isclass(value) and hasattr(value, "__getitem__")]
    if name not in known:
        raise TaskError(f"task_options.path: torchvision has no data set {name}{_near(name, known)}")
    make = getattr(datasets, name)
    allowed = inspect.signature(make).parameters
    options = {"root": str(cache_folder() / "torchvision"), "download": True}
    try:
        pictures = make(**{key: value for key, value in options.items() if key in allowed})
        count = len(pictures)
    except Exception as error:  # noqa: BLE001 (its code may raise anything: no network, no space, an option missing)
        raise TaskError(f"task_options.path: torchvision:{name} cannot be had ({short(error)})") from None
    where = f"of torchvision:{name}"
    return Source(where, range_names(count), lambda place: pictures[place][0], version=f"{where} {count}")


def in_hugging_face(name: str) -> Source:
    """The first split of a data set on the Hub, or of a folder that `datasets` can read; its first column of images."""
    datasets = package("datasets", "huggingface", f"task_options.path: hf:{name} needs a package")
    try:
        splits = datasets.load_dataset(name)
        split = "train" if "train" in splits else next(iter(splits))
        table = splits[split]
    except Exception as error:  # noqa: BLE001 (its code may raise anything: no network, no such name)
        raise TaskError(f"task_options.path: hf:{name} cannot be had ({short(error)})") from None
    columns = [column for column, kind in table.features.items() if type(kind).__name__ == "Image"]
    if not columns:
        raise TaskError(
            f"task_options.path: hf:{name} has no column of images, but {', '.join(table.features) or 'nothing'}"
        )
    where = f"of hf:{name}"

    def open(place: int) -> Any:
        return table[place][columns[0]]

    return Source(where, range_names(len(table)), open, version=f"{where} {table._fingerprint}")


def range_names(count: int) -> list[str]:
    """Of pictures that have none: their numbers."""
    return [f"number {place}" for place in range(count)]


def package(module: str, extra: str, needs: str) -> ModuleType:
    """A module of an extra of ours. Raises TaskError that begins with what `needs` it, and names the extra."""
    try:
        return importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 (torchvision beside another torch raises RuntimeError)
        raise TaskError(f"{needs} that cannot be imported ({short(error)}); pip install 'gansearch[{extra}]'") from None


def short(error: BaseException) -> str:
    """Of what another package raised, the kind and the first line."""
    return f"{type(error).__name__}: {str(error).splitlines()[0]}" if str(error) else type(error).__name__


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""
