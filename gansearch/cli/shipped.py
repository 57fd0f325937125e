"""What the package brings along: starters that `gansearch init` writes, and experiments that run by their name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gansearch.experiment import ExperimentError, suggest
from gansearch.store.folder import StudyError, write_whole, writing

STARTERS = {
    "gan": "data and two networks of your own, trained by gansearch (gansearch init DIR)",
    "loop": "a training loop of your own: a function train(trial) (gansearch init DIR --from-loop)",
    "script": "a script that trains a GAN, as it is (gansearch init DIR --from-script FILE)",
}
_STARTERS = Path(__file__).with_name("starters")
_EXPERIMENTS = Path(__file__).with_name("experiments")


def shipped_experiments() -> dict[str, str]:
    """Returns the shipped experiments: {name: description}. The description is a comment in the file."""
    experiments = {}
    for path in sorted(_EXPERIMENTS.glob("*.yaml"), key=lambda path: path.stem):
        comments = [line[2:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]
        experiments[path.stem] = next(line for line in comments if not line.startswith("yaml-language-server"))
    return experiments


def experiment_path(text: str) -> Path:
    """Returns the path of an experiment that was given as a path or as the name of a shipped experiment.

    A file of that name takes precedence. Raises ExperimentError for a bare name that is neither.
    """
    path = Path(text)
    if path.is_file() or path.suffix or path.name != text:
        return path
    shipped = _EXPERIMENTS / f"{text}.yaml"
    if shipped.is_file():
        return shipped
    names = list(shipped_experiments())
    hint = suggest(text, [*names, *map(str, Path().glob("*.y*ml"))]) or f"; shipped are {', '.join(names)}"
    raise ExperimentError(text, {"": f"no such file, and no shipped experiment{hint}"})


def write_starter(folder: Path, name: str) -> None:
    """Writes the files of a starter. Raises StudyError if the folder is not empty or cannot be written."""
    sources = (_STARTERS / name).iterdir()
    write_new(folder, {one.name.removesuffix(".txt"): one.read_text(encoding="utf-8") for one in sources})


def write_new(folder: Path, files: Mapping[str, str]) -> None:
    """Writes files, by name, into a new folder. Raises StudyError if it is not empty or cannot be written."""
    with writing(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise StudyError(f"{folder}: exists and is not an empty folder; name a new or an empty folder")
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_whole(folder / name, text)
