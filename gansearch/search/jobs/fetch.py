"""The results of a submitted sweep, brought to this machine through the cluster's dashboard."""

from __future__ import annotations

import secrets
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gansearch.search.errors import JobFailed, SweepError
from gansearch.search.jobs.client import OUT, Jobs, split
from gansearch.search.jobs.submit import Job, job_of, shell
from gansearch.store.archive import is_result, unpack
from gansearch.store.containment import FOLDER_BYTES, Refused, inside
from gansearch.store.folder import Folder, StudyError, as_typed, check_links, write_whole, writing
from gansearch.store.nan_json import read_json, to_json
from gansearch.store.object_store import connect, download, is_url, reason

_POLL_SECONDS = 0.5
_START_SECONDS = 600.0
"""Time for the cluster to run the job that reads the folder: it may have to make an environment."""
_OVERLAP = 10 * 10**9
"""Nanoseconds that a second fetch goes back: files are renamed after they were written."""


@dataclass(frozen=True)
class Fetched:
    """What a fetch brought that was not there before."""

    folder: Folder
    files: int
    bytes: int


def find(address: str) -> Job:
    """Return the sweep at http://HOST:PORT/ID, or the newest one at http://HOST:PORT.

    Raises:
        SweepError: There is none, or no dashboard answers.
    """
    url, id = split(address)
    jobs = Jobs(url)
    info = jobs.info(id) if id else jobs.newest()
    if OUT not in (info.metadata or {}):
        raise SweepError(f"{address}: is no sweep that --submit sent")
    return job_of(jobs, info)


def fetch(job: Job, path: Path) -> Fetched:
    """Bring what is new in a job's results folder into `path`, each file whole, also while the job runs.

    Raises:
        StudyError: `path` holds something else, or cannot be written; or the job's results are at a URL, which is
            opened with the user's own keys, and so only where the user names it.
        SweepError: There are no results, or the dashboard does not answer.
        JobFailed: The job that reads the folder failed, or printed something else.
    """
    if is_url(job.out):
        command = shlex.join(["gansearch", "fetch", job.out, str(as_typed(path))])
        raise StudyError(f"{job.address}: says that its results are at {job.out}; if so, fetch them with:\n{command}")
    source = f"{job.jobs.url} {job.out}"
    mtime, name = _begin(path, source)
    sizes: list[int] = []
    read, left = 0, 1
    while left:
        last, left = (mtime, name), 0
        for entry in _read(job, mtime, name):
            if "missing" in entry:
                raise SweepError(f"{job.address}: there are no results yet in {entry['missing']}")
            if "left" in entry:
                left = entry["left"]
                continue
            mtime, name = entry["mtime"], entry["name"]
            read += len(entry["data"])
            if read > FOLDER_BYTES:
                raise JobFailed(
                    f"{job.address}: sends more than the {FOLDER_BYTES / 1e9:.0f} GB that a folder may have"
                )
            if _write(path, name, entry["data"]):
                sizes.append(len(entry["data"]))
        if left and (mtime, name) <= last:
            raise JobFailed(f"{job.address}: says that {left} files are left, and sends none of them")
        _mark(path, source, mtime, name)
    return Fetched(Folder(path), len(sizes), sum(sizes))


def fetch_url(url: str, path: Path) -> Fetched:
    """Bring what is new in storage such as s3://bucket/prefix into `path`.

    Raises:
        StudyError: The URL cannot be read, or `path` holds something else or cannot be written.
    """
    _begin(path, url)
    try:
        files, size = download(connect(url), path)
    except OSError as error:
        raise StudyError(f"{url}: cannot be read, or {as_typed(path)} not written ({reason(error)})") from None
    return Fetched(Folder(path), files, size)


def _begin(path: Path, source: str) -> tuple[int, str]:
    """Return how far the last fetch came. Raises StudyError where the folder holds something else."""
    known: Any = read_json(Folder(path).fetched, {})
    try:
        origin, mtime = str(known["source"]), int(known["mtime"])
    except (LookupError, TypeError, ValueError, OverflowError):
        origin, mtime = "", 0
    if origin == source:
        check_links(path)
        return mtime - _OVERLAP, ""
    if origin or not Folder(path).is_free:
        what = f"holds results from {origin}" if origin else "is not empty, and was not fetched"
        raise StudyError(f"{as_typed(path)}: {what}; name another folder")
    # So that a fetch that is cut off before its first piece is whole can be repeated.
    _mark(path, source)
    return 0, ""


def _mark(path: Path, source: str, mtime: int = 0, name: str = "") -> None:
    """Note in the folder where it is from, and up to which file it is whole."""
    marker = Folder(path).fetched
    _write(path, marker.name, to_json({"source": source, "mtime": mtime, "name": name}).encode())


def _read(job: Job, mtime: int, name: str) -> Iterator[dict[str, Any]]:
    """Yield what a job of its own prints of the folder, on the node where the sweep's job ran."""
    words = f"{shell(job.out)} {mtime} {shlex.quote(name)}"
    id = job.jobs.submit(
        entrypoint=f"python -m gansearch.store.archive {words}",
        submission_id=f"fetch-{secrets.token_hex(4)}",
        runtime_env={"py_modules": [str(Path(__file__).parents[2])]},
    )
    deadline = time.monotonic() + _START_SECONDS
    while not (info := job.jobs.info(id)).status.is_terminal():
        if time.monotonic() > deadline:
            raise JobFailed(f"{job.jobs.url}: the job that reads {job.out} did not end within {_START_SECONDS:g} s")
        time.sleep(_POLL_SECONDS)
    log = job.jobs.log(id)
    if info.status != "SUCCEEDED":
        last = next((line for line in reversed(log.splitlines()) if line.strip()), info.message)
        raise JobFailed(f"{job.jobs.url}: the job that reads {job.out} failed: {last}")
    job.jobs.delete(id)
    try:
        yield from unpack(log)
    except ValueError as error:
        raise JobFailed(
            f"{job.jobs.url}: the job that reads {job.out} printed what is no results folder: {error}"
        ) from None


def _write(path: Path, name: str, data: bytes) -> bool:
    """Write one file, whose name came from elsewhere, into the folder; return whether that changes anything."""
    if not is_result(name):
        raise StudyError(f"{name!r} is no file of a results folder")
    try:
        file = inside(path, name)
    except Refused as refused:
        raise StudyError(str(refused)) from None
    with writing(file):
        if file.is_file() and file.read_bytes() == data:
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, data)
    return True
