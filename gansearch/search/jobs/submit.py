"""A sweep as a Ray job: submitted, followed, and identified again by its experiment."""

from __future__ import annotations

import secrets
import shlex
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ray.job_submission import JobDetails

from gansearch.experiment import Experiment, folder_name
from gansearch.search.errors import Detached, JobFailed
from gansearch.search.jobs.client import NAME, OUT, Jobs, NoAnswer
from gansearch.search.jobs.package import FILE, packed

_POLL_SECONDS = 2.0
_LAST_LINES = 5
"""Lines of a failed job's log that are repeated in the error."""


@dataclass(frozen=True)
class Job:
    """A sweep that was submitted."""

    jobs: Jobs
    id: str
    out: str
    """Its results folder on the cluster: a path, which may begin with ~/, or a URL."""
    folder: str
    """The name of its folder under results/ on this machine."""

    @property
    def address(self) -> str:
        """What `gansearch fetch` takes."""
        return f"{self.jobs.url}/{self.id}"

    @property
    def over(self) -> bool:
        """Whether the job has ended."""
        return bool(self.jobs.info(self.id).status.is_terminal())


def submit(
    experiment: Experiment, url: str, out: str | Path | None = None, flags: Sequence[str] = (), pip: bool = False
) -> Job:
    """Send an experiment, the folder of its task's code and this gansearch to a cluster, and start its sweep there.

    A built-in task has no code: the data that it reads go instead, where they are small enough.

    Args:
        experiment: What to sweep.
        url: The cluster's dashboard.
        out: The results folder, relative to the home directory on the cluster, or a URL.
        flags: Further words of the job's `gansearch sweep`.
        pip: Whether the nodes install what gansearch needs, and the requirements.txt beside the code.

    Raises:
        SweepError: The cluster cannot be reached, or the code is too large to be sent.
        TaskError: The task's code cannot be imported.
        ExperimentError: requirements.txt has more than packages in it.
    """
    jobs = Jobs(url)
    out = str(out or f"results/{experiment.folder}")
    out = out if out.startswith(("/", "~")) or "://" in out else f"~/{out}"
    words = ["python", "-m", "gansearch", "sweep", FILE, "--address", "auto", *flags, "--out"]
    with tempfile.TemporaryDirectory() as folder:
        job = jobs.submit(
            entrypoint=f"{shlex.join(words)} {shell(out)}",
            submission_id=f"{experiment.folder}-{secrets.token_hex(3)}",
            runtime_env=packed(experiment, Path(folder) / "package.zip", pip),
            metadata={NAME: experiment.name, OUT: out},
        )
    return Job(jobs, job, out, experiment.folder)


def job_of(jobs: Jobs, info: JobDetails) -> Job:
    """Return a sweep's job from what its cluster knows of it."""
    return Job(jobs, str(info.submission_id), info.metadata[OUT], folder_name(info.metadata[NAME]))


def submitted(url: str, experiment: Experiment) -> Job:
    """Return the newest job of an experiment. Raises SweepError where there is none."""
    jobs = Jobs(url)
    return job_of(jobs, jobs.newest(experiment.name))


def follow(job: Job, say: Callable[[str], None], again: str) -> None:
    """Pass what the job prints to `say` until the job ends, waiting for a network that is away.

    `again` is the command that follows the job again.

    Raises:
        JobFailed: The job failed. The message has its last lines.
        Detached: Ctrl-C was pressed; the job goes on.
        SweepError: The cluster does not know the job.
    """
    said, waiting, away = 0, False, False
    try:
        while True:
            asked = time.monotonic()
            try:
                info, log = job.jobs.info(job.id), job.jobs.log(job.id)
            except NoAnswer as error:
                if not away:
                    say(f"{error}; the job goes on, and the dashboard is asked again\n")
                away = True
                time.sleep(_POLL_SECONDS)
                continue
            away = False
            if info.status == "PENDING" and not waiting:
                waiting = True
                say("waiting for the cluster to make the job's environment and to start it\n")
            say(log[said:])
            said = len(log)
            if info.status.is_terminal():
                break
            time.sleep(max(_POLL_SECONDS, 5 * (time.monotonic() - asked)))
    except KeyboardInterrupt:
        stop = f"ray job stop --address {job.jobs.url} {job.id}"
        raise Detached(f"{job.address} goes on without us\nfollow it with: {again}\nstop it with:   {stop}") from None
    if info.status != "SUCCEEDED":
        lines = [line for line in log.splitlines() if line.strip()][-_LAST_LINES:]
        why = "\n  ".join(lines or [str(info.message)])
        raise JobFailed(f"{job.address}: the job {str(info.status).lower()}; it said last:\n  {why}")


def shell(out: str) -> str:
    """Return a path as a word of a shell, which expands the home directory itself."""
    return f"~/{shlex.quote(out[2:])}" if out.startswith("~/") else shlex.quote(out)
