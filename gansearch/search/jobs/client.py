"""The jobs of a Ray cluster, through its dashboard: what is reachable of one from a laptop."""

from __future__ import annotations

import difflib
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from ray.exceptions import AuthenticationError
from ray.job_submission import JobDetails, JobSubmissionClient

from gansearch.search.errors import WANTS_TOKEN, SweepError

NAME, OUT = "gansearch", "gansearch_out"
"""Metadata of a sweep's job: its experiment's name, and where its results go."""
_REACH_SECONDS, _ANSWER_SECONDS = 10.0, 60.0
_READY_SECONDS = 60.0
_NOT_READY = "No available agent"  # Ray has no class for it
_REASON = 300
"""Characters of others' own words at most."""


class NoAnswer(SweepError):
    """The dashboard is not there, or not now."""


class Jobs:
    """The jobs of the cluster whose dashboard is at `url`, such as http://HOST:8265.

    Everything raises SweepError: NoAnswer where no dashboard answers, and with what to set where it wants a token.
    """

    def __init__(self, url: str):
        self.url = _whole(url)
        for name in ("ray.dashboard.modules.dashboard_sdk", "ray._private.runtime_env.packaging"):
            logging.getLogger(name).setLevel(logging.WARNING)
        with self._talk():
            address = urlsplit(self.url)
            port = address.port or (443 if address.scheme == "https" else 80)
            socket.create_connection((address.hostname or "", port), timeout=_REACH_SECONDS).close()
            with _without("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"):  # which would overrule the address
                self._client = _Client(self.url)

    def submit(self, **job: Any) -> str:
        """Starts a job, `job` as JobSubmissionClient.submit_job takes it; returns its id.

        A cluster that has just come up is waited for: its dashboard answers before it can take jobs.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                with self._talk():
                    return str(self._client.submit_job(**job))
            except NoAnswer as error:
                if _NOT_READY not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def info(self, job: str) -> JobDetails:
        """Raises SweepError, with the ids that are near, where there is no such job."""
        try:
            with self._talk():
                return self._client.get_job_info(job)
        except NoAnswer as error:
            if "does not exist" not in str(error):  # Ray has no class for it
                raise
        known = [str(one.submission_id) for one in self._sweeps()]
        near = difflib.get_close_matches(job, known, n=3, cutoff=0.3) or known[:3]
        there = f"; there are: {', '.join(near)}" if near else "; no sweep was submitted there"
        raise SweepError(f"{self.url}: there is no job {job!r}{there}")

    def log(self, job: str) -> str:
        """All that the job has printed."""
        with self._talk():
            return str(self._client.get_job_logs(job))

    def delete(self, job: str) -> None:
        """Takes an ended job off the list."""
        with self._talk():
            self._client.delete_job(job)

    def newest(self, name: str | None = None) -> JobDetails:
        """The sweep that was submitted last, of the experiment of that name. Raises SweepError where there is none."""
        sweeps = self._sweeps()
        for job in sweeps:
            if name in (None, (job.metadata or {})[NAME]):
                return job
        others = sorted({(job.metadata or {})[NAME] for job in sweeps})
        there = f"; there are: {', '.join(others)}" if others else ""
        raise SweepError(f"{self.url}: no sweep {f'of {name!r} ' if name else ''}was submitted there{there}")

    def _sweeps(self) -> list[JobDetails]:
        """Newest first."""
        with self._talk():
            jobs = [job for job in self._client.list_jobs() if NAME in (job.metadata or {})]
        return sorted(jobs, key=lambda job: job.start_time or 0, reverse=True)

    @contextmanager
    def _talk(self) -> Iterator[None]:
        try:
            yield
        except AuthenticationError as error:
            what = "another" if "failed" in str(error) else "a"
            raise SweepError(f"{self.url}: the cluster wants {what} token. {WANTS_TOKEN}") from None
        except (OSError, RuntimeError, ValueError, requests.RequestException) as error:
            reason = " ".join(str(error).split())[:_REASON]
            what = "the Ray dashboard refuses" if "status code" in reason else "no Ray dashboard answers"
            raise NoAnswer(f"{self.url}: {what} ({reason})") from None


class _Client(JobSubmissionClient):
    """Ray's, which waits for an answer for ever where the network is gone."""

    def _do_request(self, *request: Any, **options: Any) -> requests.Response:
        return super()._do_request(*request, **{"timeout": _ANSWER_SECONDS, **options})


def split(address: str) -> tuple[str, str]:
    """The dashboard's URL and the id in http://HOST:PORT/ID, "" where there is none."""
    whole = urlsplit(_whole(address))
    return f"{whole.scheme}://{whole.netloc}", whole.path.strip("/")


def _whole(url: str) -> str:
    """The URL with its scheme and without a slash at its end."""
    scheme, colons, rest = url.rpartition("://")
    if colons and scheme not in ("http", "https"):
        raise SweepError(f"{url}: is no dashboard's address, such as http://HOST:8265; {scheme}:// goes to --address")
    return f"{scheme or 'http'}://{rest}".rstrip("/")


@contextmanager
def _without(*names: str) -> Iterator[None]:
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)
