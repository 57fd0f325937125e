"""A sweep on a cluster far away, as the commands do it: sent, followed, and its results brought here."""

from __future__ import annotations

import functools
import shlex
import sys
from pathlib import Path

from gansearch.experiment import Experiment
from gansearch.search.jobs import submit as job
from gansearch.search.jobs.fetch import Fetched, fetch, fetch_url, find
from gansearch.search.jobs.submit import Job
from gansearch.store.folder import as_typed
from gansearch.store.object_store import is_url


def submit_job(
    experiment: Experiment, url: str, out: Path | None, flags: list[str], follow: bool, no_wait: bool, pip: bool
) -> None:
    """A sweep as a job: sent unless it is there already, followed, and its results brought here at the end."""
    if follow:
        sent = job.submitted(url, experiment)
    else:
        sent = job.submit(experiment, url, out, flags, pip)
        print(f"submitted {sent.address}; its results go to {sent.out} there")
    words = [word for word in sys.argv[1:] if word not in ("--follow", "--no-wait", "--resume")]
    again = shlex.join(["gansearch", *words, "--follow"])
    if no_wait:
        print(f"follow it with: {again}")
        return
    job.follow(sent, functools.partial(print, end="", flush=True), again)
    bring(sent, None)


def fetch_results(source: str, dir: Path | None) -> None:
    """What lies at a storage's URL, or the results of a job."""
    if not is_url(source) or source.startswith("http"):
        bring(find(source), dir)
        return
    _say(fetch_url(source, dir or Path("results") / source.partition("?")[0].rstrip("/").rpartition("/")[2]))


def bring(sent: Job, dir: Path | None) -> None:
    """The results of a job, into `dir` or results/<its name>, and what comes next."""
    over = sent.over
    brought = fetch(sent, dir or Path("results") / sent.folder)
    _say(brought)
    if not over:
        print("the sweep goes on; the same command brings what is new")


def _say(brought: Fetched) -> None:
    where = as_typed(brought.folder.path)
    print(f"fetched {brought.files} files ({brought.bytes / 1e6:.1f} MB) into {where}")
    print(f"next: gansearch report {shlex.quote(str(where))}")
