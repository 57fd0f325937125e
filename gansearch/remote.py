"""A sweep on a cluster far away, as the commands do it: sent, followed, and its results brought here."""

from __future__ import annotations

import functools
import shlex
import sys
from pathlib import Path

from gansearch.experiment import Experiment
from gansearch.search import submit as job
from gansearch.search.fetch import fetch
from gansearch.search.submit import Job
from gansearch.study.folder import as_typed


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


def bring(sent: Job, dir: Path | None) -> None:
    """The results of a job, into `dir` or results/<its name>, and what comes next."""
    over = sent.over
    brought = fetch(sent, dir or Path("results") / sent.folder)
    where = as_typed(brought.folder.path)
    print(f"fetched {brought.files} files ({brought.bytes / 1e6:.1f} MB) into {where}")
    if over:
        print(f"next: gansearch report {shlex.quote(str(where))}")
    else:
        print("the sweep goes on; the same command brings what is new")
