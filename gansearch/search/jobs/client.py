"""The jobs of a Ray cluster, reached through its dashboard."""

from __future__ import annotations

import difflib
import importlib.util
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from ray.exceptions import AuthenticationError
from ray.job_submission import JobDetails

from gansearch.search.cluster.ray_patches import JobClient
from gansearch.search.environment import environment
from gansearch.search.errors import WANTS_TOKEN, SweepError

NAME, OUT = "gansearch", "gansearch_out"
"""Metadata of a sweep's job: the name of its experiment, and where its results go."""
_REACH_SECONDS = 10.0
_READY_SECONDS = 60.0
_NOT_READY = "No available agent"  # Ray has no class for it
_REASON = 300
"""Most characters of an error of others in a message."""


class NoAnswer(SweepError):
    """The dashboard does not answer, or refuses the request."""


class Jobs:
    """The jobs of the cluster whose dashboard is at `url`, such as http://HOST:8265.

    Every method raises SweepError where the dashboard wants a token, with what to set, and NoAnswer where none answers.
    """

    def __init__(self, url: str):
        """Connect to the dashboard."""
        self.url = _with_scheme(url)
        if importlib.util.find_spec("aiohttp") is None:  # Ray's client would ask for all of ray[default]
            raise SweepError(f"{self.url}: the jobs of a cluster need aiohttp: pip install aiohttp")
        for name in ("ray.dashboard.modules.dashboard_sdk", "ray._private.runtime_env.packaging"):
            logging.getLogger(name).setLevel(logging.WARNING)
        with self._errors():
            address = urlsplit(self.url)
            port = address.port or (443 if address.scheme == "https" else 80)
            socket.create_connection((address.hostname or "", port), timeout=_REACH_SECONDS).close()
            with environment({"RAY_API_SERVER_ADDRESS": None, "RAY_ADDRESS": None}):  # which would overrule the address
                self._client = JobClient(self.url)

    def submit(self, **job: Any) -> str:
        """Start a job, `job` as `JobSubmissionClient.submit_job` takes it, and return its id.

        The dashboard of a cluster that has just come up answers before it can take jobs; it is tried for a minute.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                with self._errors():
                    return str(self._client.submit_job(**job))
            except NoAnswer as error:
                if _NOT_READY not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def info(self, job: str) -> JobDetails:
        """Return what the cluster knows of a job.

        Raises:
            SweepError: There is no such job. The message has the ids that are near.
        """
        try:
            with self._errors():
                return self._client.get_job_info(job)
        except NoAnswer as error:
            if "does not exist" not in str(error):  # Ray has no class for it
                raise
        known = [str(one.submission_id) for one in self._sweeps()]
        near = difflib.get_close_matches(job, known, n=3, cutoff=0.3) or known[:3]
        there = f"; there are: {', '.join(near)}" if near else "; no sweep was submitted there"
        raise SweepError(f"{self.url}: there is no job {job!r}{there}")

    def log(self, job: str) -> str:
        """Return all that the job has printed."""
        with self._errors():
            return str(self._client.get_job_logs(job))

    def delete(self, job: str) -> None:
        """Remove a job that has ended from the cluster's list."""
        with self._errors():
            self._client.delete_job(job)

    def newest(self, name: str | None = None) -> JobDetails:
        """Return the sweep that was submitted last, of the experiment of that name.

        Raises:
            SweepError: There is none.
        """
        sweeps = self._sweeps()
        for job in sweeps:
            if name in (None, (job.metadata or {})[NAME]):
                return job
        others = sorted({(job.metadata or {})[NAME] for job in sweeps})
        there = f"; there are: {', '.join(others)}" if others else ""
        raise SweepError(f"{self.url}: no sweep {f'of {name!r} ' if name else ''}was submitted there{there}")

    def _sweeps(self) -> list[JobDetails]:
        """Return the jobs that are sweeps, newest first."""
        with self._errors():
            jobs = [job for job in self._client.list_jobs() if NAME in (job.metadata or {})]
        return sorted(jobs, key=lambda job: job.start_time or 0, reverse=True)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn the errors of Ray's client into SweepError."""
        try:
            yield
        except AuthenticationError as error:
            what = "another" if "failed" in str(error) else "a"
            raise SweepError(f"{self.url}: the cluster wants {what} token. {WANTS_TOKEN}") from None
        except (OSError, RuntimeError, ValueError, requests.RequestException) as error:
            reason = " ".join(str(error).split())[:_REASON]
            what = "the Ray dashboard refuses" if "status code" in reason else "no Ray dashboard answers"
            raise NoAnswer(f"{self.url}: {what} ({reason})") from None


def split(address: str) -> tuple[str, str]:
    """Return the dashboard's URL and the job's id of http://HOST:PORT/ID; without an id it is ""."""
    url = urlsplit(_with_scheme(address))
    return f"{url.scheme}://{url.netloc}", url.path.strip("/")


def _with_scheme(url: str) -> str:
    """Return the URL with its scheme and without a slash at its end."""
    scheme, colons, rest = url.rpartition("://")
    if colons and scheme not in ("http", "https"):
        raise SweepError(f"{url}: is no dashboard's address, such as http://HOST:8265; {scheme}:// goes to --address")
    return f"{scheme or 'http'}://{rest}".rstrip("/")
