"""A sweep as a Ray job: packed and sent, followed, and found again by whoever has its experiment."""

from __future__ import annotations

import json
import secrets
import shlex
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from ray._private.runtime_env.packaging import create_package
from ray.job_submission import JobDetails

from gansearch.experiment import Experiment, ExperimentError, folder_name
from gansearch.search.code import FROM, code_for
from gansearch.search.errors import Detached, JobFailed
from gansearch.search.jobs import NAME, OUT, Jobs, NoAnswer
from gansearch.search.points import PUBLISHED, fields_of

FILE = "gansearch-experiment.yaml"
"""The experiment in the job's working directory."""
_POLL_SECONDS = 2.0
_LAST_LINES = 5
"""Of a failed job's log, all of which was said already."""
_THERE = {"ray", "torch"}
"""What --pip never changes on a cluster: what it runs, and a build that fits its GPUs."""


@dataclass(frozen=True)
class Job:
    """A sweep that was submitted."""

    jobs: Jobs
    id: str
    out: str
    """Its results folder as the cluster has it: a path, which may begin with ~/, or a URL."""
    folder: str
    """The name of its folder under results/ here."""

    @property
    def address(self) -> str:
        """What `gansearch fetch` takes."""
        return f"{self.jobs.url}/{self.id}"

    @property
    def over(self) -> bool:
        return bool(self.jobs.info(self.id).status.is_terminal())


def submit(
    experiment: Experiment,
    url: str,
    out: str | Path | None = None,
    flags: Sequence[str] = (),
    pip: bool = False,
) -> Job:
    """Sends an experiment, with the folder of its task's code and this very gansearch, and starts its sweep there.

    `out` is relative to the home directory on the cluster. `flags` are further words of the job's `gansearch sweep`.
    `pip` has the nodes install what they lack of what gansearch needs, and requirements.txt beside the code.
    Raises SweepError, TaskError or ExperimentError before anything is sent.
    """
    jobs = Jobs(url)
    code = code_for(experiment)
    root = code.runtime_env.get("working_dir")
    out = str(out or f"results/{experiment.folder}")
    out = out if out.startswith(("/", "~")) or "://" in out else f"~/{out}"
    words = ["python", "-m", "gansearch", "sweep", FILE, "--address", "auto", *flags, "--out"]
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "package.zip"
        if root is not None:
            create_package(root, package, include_gitignore=True, excludes=code.runtime_env["excludes"])
        with zipfile.ZipFile(package, "a") as archive:
            archive.writestr(FILE, _portable(experiment).to_yaml())
        env: dict[str, Any] = {
            "working_dir": str(package),
            "py_modules": code.runtime_env["py_modules"],
            "env_vars": {FROM: root} if root else {},
        }
        if pip:
            env["pip"] = _packages(Path(root) if root else None)
        job = jobs.submit(
            entrypoint=f"{shlex.join(words)} {shell(out)}",
            submission_id=f"{experiment.folder}-{secrets.token_hex(3)}",
            runtime_env=env,
            metadata={NAME: experiment.name, OUT: out},
        )
    return Job(jobs, job, out, experiment.folder)


def job_of(jobs: Jobs, info: JobDetails) -> Job:
    """A sweep's job, from what its cluster knows of it."""
    return Job(jobs, str(info.submission_id), info.metadata[OUT], folder_name(info.metadata[NAME]))


def submitted(url: str, experiment: Experiment) -> Job:
    """The newest job of an experiment. Raises SweepError where there is none."""
    jobs = Jobs(url)
    found = jobs.newest(experiment.name)
    return job_of(jobs, found)


def follow(job: Job, say: Callable[[str], None], again: str) -> None:
    """Says what the job prints until it ends. A network that is away is waited for.

    `again` is the command that follows it again. Raises JobFailed with its last lines, Detached after Ctrl-C, and
    SweepError where the cluster does not know the job (any more).
    """
    said, waits, away = 0, False, False
    try:
        while True:
            asked = time.monotonic()
            try:
                info, log = job.jobs.info(job.id), job.jobs.log(job.id)
            except NoAnswer as error:
                if not away:
                    say(f"{error}; the job goes on without us, and we try again\n")
                away = True
                time.sleep(_POLL_SECONDS)
                continue
            away = False
            if info.status == "PENDING" and not waits:
                waits = True
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
    """A path as a word of a shell, which finds the home directory itself."""
    return f"~/{shlex.quote(out[2:])}" if out.startswith("~/") else shlex.quote(out)


def _portable(experiment: Experiment) -> Experiment:
    """The experiment with the fields of those files that `start_from` names, which stay here."""
    points = [
        {name: json.loads(json.dumps(value, default=_plain)) for name, value in fields_of(point).items()}
        if isinstance(point, str) and point not in PUBLISHED
        else point
        for point in experiment.start_from
    ]
    return experiment.model_copy(update={"start_from": points})


def _plain(value: Any) -> Any:
    """A change of a schedule as plain data."""
    return value.model_dump(mode="json", exclude_none=True)


def _packages(root: Path | None) -> list[str]:
    """What gansearch needs, in the versions that are here, and the user's own requirements."""
    needs = [Requirement(text) for text in requires("gansearch") or ()]
    own = [f"{need.name}=={version(need.name)}" for need in needs if not need.marker and need.name not in _THERE]
    file = root and root / "requirements.txt"
    if not file or not file.is_file():
        return own
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    wrong = next((line for line in lines if line.startswith("-")), None)
    if wrong:
        raise ExperimentError(str(file), {"": f"--pip sends packages alone, not {wrong!r}"})
    return own + [line for line in lines if line and not line.startswith("#")]
