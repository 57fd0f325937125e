"""A sweep that runs as a job of a cluster: submit it, follow it, fetch its results."""

from __future__ import annotations

import functools
import shlex
import sys
from pathlib import Path

from gansearch.cli.terminal import say
from gansearch.experiment import Experiment, folder_name
from gansearch.search.jobs import submit as jobs
from gansearch.search.jobs.fetch import Fetched, fetch, fetch_url, find
from gansearch.search.jobs.submit import Job
from gansearch.store.folder import as_typed
from gansearch.store.object_store import is_url


def submit_job(
    experiment: Experiment, url: str, out: Path | None, flags: list[str], follow: bool, no_wait: bool, pip: bool
) -> None:
    """Submits a sweep as a job, follows it, and fetches its results.

    With `follow`, the job was submitted before. With `no_wait`, the job is only submitted.
    """
    if follow:
        job = jobs.submitted(url, experiment)
    else:
        job = jobs.submit(experiment, url, out, flags, pip)
        say(f"submitted {job.address}; its results go to {job.out} there")
    words = [word for word in sys.argv[1:] if word not in ("--follow", "--no-wait", "--resume")]
    follow_command = shlex.join(["gansearch", *words, "--follow"])
    if no_wait:
        say(f"follow it with: {follow_command}")
        return
    jobs.follow(job, functools.partial(say, end="", flush=True), follow_command)
    if is_url(out):  # the user's words, not the job's
        _print_fetched(fetch_url(str(out), Path("results", job.folder)))
    else:
        _fetch_job(job, None)


def fetch_results(source: str, dir: Path | None) -> None:
    """Fetches the results of a job, or those at the URL of an object store, into `dir` or results/<name>."""
    if not is_url(source) or source.startswith("http"):
        _fetch_job(find(source), dir)
    else:
        _print_fetched(
            fetch_url(
                source, dir or Path("results", folder_name(source.partition("?")[0].rstrip("/").rpartition("/")[2]))
            )
        )


def _fetch_job(job: Job, dir: Path | None) -> None:
    over = job.over  # asked before the fetch: what is written meanwhile may be missing
    _print_fetched(fetch(job, dir or Path("results", job.folder)))
    if not over:
        say("the sweep goes on; the same command fetches what is new")


def _print_fetched(fetched: Fetched) -> None:
    path = as_typed(fetched.folder.path)
    say(f"fetched {fetched.files} files ({fetched.bytes / 1e6:.1f} MB) into {path}")
    say(f"next: gansearch report {shlex.quote(str(path))}")
