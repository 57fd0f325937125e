"""The starters that `gansearch init` writes: a GAN, or a training loop, of one's own to fill in."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from gansearch.store.folder import StudyError, write_whole

FILES = {"my_gan.py": "my_gan.py.txt", "experiment.yaml": "experiment.yaml", "README.md": "README.md"}
LOOP = {"my_loop.py": "my_loop.py.txt", "experiment.yaml": "loop.yaml", "README.md": "loop.md"}


def write_starter(folder: Path, from_loop: bool = False) -> None:
    """Writes a starter's files into a new or empty folder. Raises StudyError where there is something already."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise StudyError(f"{folder}: there is something already; name a new or an empty folder")
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in (LOOP if from_loop else FILES).items():
            write_whole(folder / name, (files(__package__) / source).read_text(encoding="utf-8"))
    except OSError as error:
        raise StudyError(f"{folder}: cannot be written ({error.strerror or error})") from None
