"""The classes of pictures: the folders that they lie in, or the labels of their data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from gansearch.gan.options import option_error
from gansearch.gan.readers.images import Source
from gansearch.gan.readers.walk import listed

CONDITIONS = ("none", "folders", "labels")
"""What a task's option `condition` may be."""
SPLITS = ("train", "training", "test", "testing", "val", "valid", "validation", "dev")
"""Names of folders that hold parts of a data set, each with the folders of its classes."""
FEW = 10
"""Pictures of a class under which it is warned of."""


def classes_of(source: Source, condition: str) -> list[str]:
    """Returns the name of each picture's class. Raises TaskError where some have none, or all have one."""
    if condition == "labels":
        if source.labels is None:
            raise option_error("condition", f"labels: the pictures {source.where} have none; use folders'")
        names = list(source.labels())
    else:
        if not source.files:
            raise option_error("condition", f"folders: the pictures {source.where} lie in none; use labels")
        names = [_folder(PurePath(name)) for name in source.names]
    if outside := [picture for picture, name in zip(source.names, names, strict=True) if not name]:
        many = f"{len(outside):,} of {len(names):,} pictures {source.where}"
        raise option_error("condition", f"folders: {many} lie in no folder of a class: {listed(outside)}")
    if len(set(names)) < 2:
        raise option_error("condition", f"{condition}: all pictures {source.where} are of one class, {names[0]}")
    return names


def told(classes: Sequence[str]) -> list[str]:
    """Returns a warning that names the classes of few pictures, if any, given the class of each picture."""
    few = [f"{name} ({count})" for name, count in sorted(Counter(classes).items()) if count < FEW]
    return [f"classes of fewer than {FEW} pictures, too few to judge them: {listed(few)}"] if few else []


def _folder(picture: PurePath) -> str:
    """The first folder below the data's own that is no part of it such as train; empty where there is none."""
    folders = picture.parts[:-1]
    return next((name for name in folders if name.lower() not in SPLITS), "")
