"""How Ray is started on this machine: where its files and its token go, and what is wrong where it does not start."""

from __future__ import annotations

import logging
import os
import re
import secrets
from pathlib import Path
from typing import Any

import ray

from gansearch.search.cluster.ray_patches import LOOPBACK, on_loopback, without_current_directory, without_watchers
from gansearch.search.errors import RayFailed

_LOG = logging.getLogger(__name__)
_LONGEST = 40
"""Characters of Ray's folder: its sockets have up to 67 more (session_<date>_<time>_<pid>/sockets/plasma_store), of
the 107 that Linux takes."""
_REASON = 300
"""Most characters of an error of Ray in a message."""
_TOKENS = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
_TMPDIR = "set TMPDIR (or RAY_TMPDIR) to a folder on a disk with space that you may write to, with a short path"
_ADVICE = (
    (r"AF_UNIX|socket_filename", _TMPDIR),
    (r"auth(entication)?.?token|token.?auth|RAY_AUTH|unauthenticated", "set RAY_AUTH_MODE=token, or unset it"),
    (r"/dev/shm|shared memory", "give it shared memory, in Docker by --shm-size"),
    (r"No space left|quota|Read-only file system|Permission denied|Not a directory", _TMPDIR),
    (r"home directory", "set HOME to a folder that you may write to"),
    (r"surrogates not allowed", "a name on the command line is no UTF-8: rename what it names"),
    (r"Too many open files", "raise the limit of open files (ulimit -n)"),
    (r"timed? ?out|failed to start|Cannot allocate|out of memory|Resource temporarily", "it may have too much to do"),
)
"""What to do, by what Ray says."""


def start_here(**options: Any) -> None:
    """Start Ray on this machine, listening on loopback alone. Raises RayFailed, which says what to do."""
    folder = _folder()
    place = {} if folder == _default_folder() else {"_temp_dir": str(folder)}
    options |= {"job_config": without_current_directory()}
    try:
        _give_token()
        with on_loopback(), without_watchers():
            ray.init(address="local", include_dashboard=False, _node_ip_address=LOOPBACK, **place, **options)
    except Exception as error:  # Ray has no class for it
        reason = " ".join(str(error).split())[:_REASON]
        raise RayFailed(f"Ray did not start on this machine{_advice(error, reason)}: {reason}") from error


def _default_folder() -> Path:
    """Return where Ray puts its files by itself (ray/_common/utils.py, `get_default_system_temp_dir`)."""
    return Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp", "ray")


def _folder() -> Path:
    """Return where Ray's files go: where Ray puts them, or to /tmp where its sockets cannot be there."""
    default = _default_folder()
    trouble = _trouble(default)
    if not trouble:
        return default
    for folder in (Path("/tmp/ray"), Path(f"/tmp/ray-{os.getuid()}")):
        if not _trouble(folder):
            _LOG.warning("warning: TMPDIR: %s %s; the files of Ray go to %s", default.parent, trouble, folder)
            return folder
    raise RayFailed(f"Ray cannot start on this machine: TMPDIR: {default.parent} {trouble}; {_TMPDIR}")


def _trouble(folder: Path) -> str:
    """Return why Ray's files cannot be in a folder; empty where they can."""
    if len(os.fsencode(folder)) > _LONGEST:
        return f"has a path of more than {_LONGEST - len('/ray')} characters, too long for sockets"
    if not _can_be_made(folder / "session"):
        return "cannot be written"
    if folder.name.startswith("ray-") and folder.exists() and folder.stat().st_uid != os.getuid():
        return "belongs to somebody else"
    return ""


def _give_token() -> None:
    """Give Ray a token of this sweep's own where it could not write one into the home folder.

    Ray turns its authentication on by itself, and keeps its token in ~/.ray. `ray_settings` takes this one back.
    """
    file = Path(_home(), ".ray", "auth_token")
    if os.environ.get("RAY_AUTH_MODE", "token") != "token" or any(os.environ.get(name) for name in _TOKENS):
        return
    if not (file.is_absolute() and (os.access(file, os.R_OK) or _can_be_made(file))):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def _home() -> str:
    """Return the home folder; ~ where the process has none."""
    return os.path.expanduser("~")  # noqa: PTH111 (Path.home raises there)


def _can_be_made(path: Path) -> bool:
    """Return whether something that may not be there yet can be made and written to."""
    there = next(parent for parent in (path, *path.parents) if os.access(parent, os.F_OK))
    return os.access(there, os.W_OK | (os.X_OK if there.is_dir() else 0)) and (there == path or there.is_dir())


def _advice(error: Exception, reason: str) -> str:
    """Return what to do about an error, to be put behind a sentence."""
    home, path = _home(), str(getattr(error, "filename", None) or "")
    if path == home or path.startswith(f"{home}/") or ".ray/auth_token" in reason:
        return f"; HOME is {home}: set it to a folder that you may write to, or RAY_AUTH_TOKEN to a secret of yours"
    return next((f"; {advice}" for pattern, advice in _ADVICE if re.search(pattern, reason)), "")
