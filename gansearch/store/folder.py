"""The paths of a results folder, its format, and files that are written whole or not at all."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from gansearch import __version__
from gansearch.experiment import Experiment
from gansearch.store.cache import URL, url_of
from gansearch.store.containment import SETTINGS_BYTES, links, read_text

_NUMBER = r"[0-9]{5}|[1-9][0-9]{5,8}"
"""The names of the folders of trials, as `Folder.record` makes them."""
MARKER = ".seen-"
"""The begin of the name of a file for which nodes look, to see whether they see the folder."""
_JOURNAL_LOCK = "study.journal.lock"
"""Optuna's lock of the journal, a link that nothing is read or written through."""
FORMAT = 5
"""The format in which folders are begun. It grows where an earlier gansearch would misread what a later one writes;
docs/results-folder.md lists the formats. A folder without format.json has format 1."""


class StudyError(ValueError):
    """A results folder is missing, is something else, cannot be written, or does not hold what was asked of it."""

    exit_status = 2


class NothingHealthy(StudyError):
    """A sweep found no configuration worth exporting."""

    exit_status = 1


class Folder:
    """The paths of one sweep's results folder."""

    def __init__(self, path: str | Path):
        """Name the paths; nothing is read or written."""
        self.path = Path(path)
        self.format = self.path / "format.json"
        self.experiment = self.path / "experiment.yaml"
        self.journal = self.path / "study.journal"
        self.trials = self.path / "trials.parquet"
        self.curves = self.path / "curves.parquet"
        self.confirmation = self.path / "confirmation.json"
        self.default = self.path / "default.json"
        self.run = self.path / "run.json"
        self.progress = self.path / "progress.json"
        self.fetched = self.path / "fetched.json"
        self.best = self.path / "best.yaml"
        self.report = self.path / "report.html"
        self.tensorboard = self.path / "tensorboard"
        self.records = self.path / "trials"
        self.real = self.path / "real.npy"
        self.inputs = self.path / "inputs.npy"

    @property
    def races(self) -> bool:
        """Whether its sweep confirms by a race: before format 4 every candidate had all the fresh seeds."""
        return format_of(self.path) >= 4

    @property
    def is_ours(self) -> bool:
        """Whether a sweep has begun here."""
        return self.experiment.is_file() and self.journal.is_file()

    @property
    def is_free(self) -> bool:
        """Whether a sweep may begin here: there is nothing, or what one has left that was killed as it began."""
        if not self.path.is_dir():
            return not self.path.exists()
        found = {path for path in self.path.iterdir() if path.name != URL and not path.name.startswith(MARKER)}
        begun = any(self.records.glob("*")) or (self.journal.is_file() and self.journal.stat().st_size > 0)
        return found <= {self.format, self.journal, self.records} and not begun

    def record(self, number: int | None) -> Path:
        """The folder of one trial's files; with None that of the default settings, which are no trial."""
        return self.records / ("default" if number is None else f"{number:05d}")

    def numbers(self) -> list[int]:
        """The numbers of the trials that have a folder of their own, in order."""
        return sorted(int(path.name) for path in self.records.glob("[0-9]*") if re.fullmatch(_NUMBER, path.name))

    def require_ours(self) -> Folder:
        """This folder. Raises StudyError where no sweep has left its results, or one in a later format."""
        if not self.path.is_dir():
            raise StudyError(f"{self.path}: no such results folder")
        if not self.is_ours:
            raise StudyError(f"{self.path}: not a results folder (it has no experiment.yaml and study.journal)")
        for link in [*links(self.path), *links(self.records)]:
            if link.name != _JOURNAL_LOCK:
                raise StudyError(f"{link}: a results folder holds its files itself, no links; put there what it names")
        if self.experiment.stat().st_size > SETTINGS_BYTES:
            raise StudyError(f"{self.experiment}: larger than {SETTINGS_BYTES / 2**20:.0f} MB")
        check_format(self.path)
        return self

    def create(self, experiment: Experiment) -> None:
        """Make the folder and write experiment.yaml and format.json. Raises StudyError where that is not possible."""
        with writing(self.path):
            self.records.mkdir(parents=True, exist_ok=True)
            write_format(self.path)
            write_whole(self.experiment, experiment.to_yaml())


def check_links(folder: Path) -> None:
    """Raise StudyError where a link in a folder, at any depth, leads out of it: nothing is written or removed there."""
    for link in links(folder, depth=-1):
        if not link.is_symlink():
            raise StudyError(f"{link}: is a pipe or a device, which no results folder has; remove it to go on here")
        if not link.resolve().is_relative_to(folder.resolve()):
            raise StudyError(f"{link}: leads out of the folder, to {link.readlink()}; remove it to go on here")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raises StudyError, which names the path, where what is done inside cannot be written."""
    try:
        yield
    except OSError as error:
        raise StudyError(f"{path}: cannot be written ({error.strerror or error})") from None


def write_format(folder: Path) -> None:
    """Write the format of a folder, of a sweep or of `train`, that is begun."""
    write_whole(folder / "format.json", json.dumps({"format": FORMAT, "gansearch": __version__}))


def format_of(folder: Path) -> int:
    """Return the format of a folder, of a sweep or of `train`. Raises StudyError where format.json cannot be read."""
    return _begun(folder)[0]


def _begun(folder: Path) -> tuple[int, str]:
    """Return the format of a folder and the version that began it; 1 where its file is missing or damaged."""
    try:
        content = json.loads(read_text(folder / "format.json"))
        return int(content["format"]), str(content.get("gansearch", "of an unknown version"))
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return 1, ""
    except OSError as error:
        raise StudyError(f"{folder}: its format.json cannot be read ({error.strerror or error})") from None


def as_begun(experiment: Experiment, folder: Path) -> Experiment:
    """Return the experiment with which a folder was begun: earlier formats read files, or split them, otherwise."""
    format = format_of(folder)
    former: dict[str, str] = {}
    if experiment.task == "table" and format < 5:
        former = {"encoding": "scores"} if format < 3 else {"reading": "pandas"}
    if experiment.task in ("images", "audio", "prose") and format < 5:
        former = {"copies": "anywhere"}
        if experiment.task_options.get("features") == "inception":
            former["distance"] = "plain_frechet"
    if not former:
        return experiment
    return experiment.model_copy(update={"task_options": {**former, **experiment.task_options}})


def check_format(folder: Path) -> None:
    """Raise StudyError where a folder, of a sweep or of `train`, is in a later format than this gansearch knows."""
    number, version = _begun(folder)
    if number > FORMAT:
        raise StudyError(
            f"{folder}: has format {number}, begun by gansearch {version}; gansearch {__version__} knows "
            f"formats up to {FORMAT}: upgrade it to open this folder"
        )


def write_whole(path: Path, content: str | bytes | Callable[[Path], object]) -> None:
    """Write a file beside `path` and rename it, so that no reader sees half a file.

    `content` is the file's text or bytes, or a function that writes it, given a path.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")  # no link waits there
    try:
        if callable(content):
            content(temporary)
        else:
            text = content.encode(errors="backslashreplace") if isinstance(content, str) else content
            temporary.write_bytes(text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def save(path: Path, text: str) -> Path:
    """Write a file that a user asked for, and return its path. Raises StudyError where it cannot be written."""
    with writing(path):
        write_whole(path, text)
    return path


def write_array(path: Path, array: np.ndarray) -> None:
    """Write an array as .npy, whole or not at all, without pickle."""

    def save(file: Path) -> None:
        with file.open("wb") as stream:  # np.save adds .npy to a path
            np.save(stream, array, allow_pickle=False)

    write_whole(path, save)


def as_typed(path: Path) -> Path | str:
    """The path as one would type it in the working directory; the URL of a results folder that is a copy."""
    if url := url_of(path):
        return url
    absolute, current = path.absolute(), Path.cwd()
    return absolute.relative_to(current) if absolute.is_relative_to(current) else path
