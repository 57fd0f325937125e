"""What of a folder with code is never copied: keys, environments, results and what git ignores."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

BULKY = ("venv", "node_modules", "__pycache__", "*.pyc", "/results", "/wandb", "/mlruns")
"""Patterns, as in a .gitignore, of what a training has no use for."""
HIDDEN = ".?*"
"""Names that begin with a dot, such as .env, .git, .ssh and .aws."""
KEYS = (
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.gpg", "*.env", "*.token"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "credentials", "credentials.[cijty]*", "*credentials.json"),
    *("secrets.[eijty]*", "service[-_]account*.json", "client_secret*.json", "kaggle.json", "token", "htpasswd"),
)
"""Names of files that hold keys and passwords."""
MOST_FILES, MOST_BYTES = 2_000, 50 * 2**20
"""A folder with more is sent only once the user has agreed, and not copied for each run."""
_GIT_SECONDS = 20.0


def left_out(root: Path) -> list[str]:
    """Return patterns, as in a .gitignore, of what is never copied of a folder.

    That is what is hidden or named like a key, environments, links to folders and out of the folder, and what git
    ignores where git is there. What .gitignore and .rayignore files name is for the caller to leave out.
    """
    paths = [*(path.relative_to(root).as_posix() for path in _unfit(root)), *_ignored_by_git(root)]
    return [HIDDEN, *KEYS, *BULKY, *("/" + re.sub(r"([\\*?\[\]!#\s])", r"\\\1", path) for path in paths)]


def is_private(name: str) -> bool:
    """Whether a file or folder of this name is never sent: it is hidden, or named like a key."""
    return any(fnmatch(name, pattern) for pattern in (HIDDEN, *KEYS))


def _unfit(root: Path) -> Iterator[Path]:
    """Yield the environments in a folder, and the links to what is never sent, to folders, and out of it."""
    whole = root.resolve()
    for here, folders, files in os.walk(root):
        folder = Path(here)
        if "pyvenv.cfg" in files or "conda-meta" in folders:
            own = [folder] if folder != root else [root / name for name in folders if name in _OF_ENVIRONMENT]
            yield from own
            folders[:] = [name for name in folders if folder == root and name not in _OF_ENVIRONMENT]
        for name in (*folders, *files):
            link = folder / name
            if link.is_symlink() and not _stays(link, whole):
                yield link
        folders[:] = [name for name in folders if not is_private(name) and name not in BULKY]


_OF_ENVIRONMENT = ("bin", "lib", "lib64", "include", "share", "conda-meta", "Lib", "Scripts")


def _stays(link: Path, root: Path) -> bool:
    """Whether a link leads to a file of the folder that is sent too. One to a folder could lead round in a circle."""
    target = link.resolve()
    if not target.is_relative_to(root) or target.is_dir():
        return False
    return not any(is_private(part) for part in target.relative_to(root).parts)


def _ignored_by_git(root: Path) -> list[str]:
    """Return what git ignores in a folder, also by files outside of it; nothing where there is no git."""
    command = ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, timeout=_GIT_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
