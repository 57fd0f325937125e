"""A sweep from beginning to end: checks, trials, confirmation. The report and the export are others' work."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ray.tune.error import TuneError

from gansearch.experiment import Experiment
from gansearch.formatting import error_line
from gansearch.interrupts import InterruptMessage
from gansearch.search.callbacks.listener import Listener, Listeners, quiet_threads
from gansearch.search.callbacks.progress import Progress
from gansearch.search.check import check_search
from gansearch.search.confirm import affordable, confirming, missing
from gansearch.search.errors import SweepFailed
from gansearch.search.resume import check_folder, end_waiting, open_repaired
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.session import Session, open_session
from gansearch.search.trials import Trials
from gansearch.search.watchdog import Patience
from gansearch.search.worker.checkpoints import forget
from gansearch.signals import interruptible
from gansearch.store.folder import Folder, as_typed
from gansearch.store.lock import lock
from gansearch.store.record import TrialRecord
from gansearch.store.repair import repair
from gansearch.store.trial_files import read_records


@dataclass(frozen=True)
class Swept:
    """A sweep that has come to its end."""

    folder: Folder
    records: list[TrialRecord]
    """Of all trials, by number."""
    ran: int
    """Trials that ended in this run; 0 where the sweep was finished already."""

    @property
    def path(self) -> Path:
        """The results folder."""
        return self.folder.path


def sweep(
    experiment: Experiment,
    out: str | Path | Folder | None = None,
    address: str | None = None,
    resume: bool = False,
    listeners: Iterable[Listener] = (),
    allow_change: bool = False,
) -> Swept:
    """Run an experiment's trials and their confirmation; `sweeping` says how."""
    with sweeping(experiment, out, address, resume, listeners, allow_change) as swept:
        return swept


@contextmanager
def sweeping(
    experiment: Experiment,
    out: str | Path | Folder | None = None,
    address: str | None = None,
    resume: bool = False,
    listeners: Iterable[Listener] = (),
    allow_change: bool = False,
) -> Iterator[Swept]:
    """Run an experiment's trials and their confirmation, into `out` or results/<its folder>, held to the block's end.

    `out` is a path, or a folder that is mirrored elsewhere. `address` joins a running Ray cluster; without it Ray
    starts on this machine and ends with the sweep. `resume` continues what is in the folder, and with `allow_change` in
    another search space. Raises SweepError, TaskError, StudyError or ExperimentError before anything is written;
    SweepFailed where every trial failed; Interrupted after Ctrl-C or another signal that asks to end.
    """
    folder = out if isinstance(out, Folder) else Folder(Path(out or Path("results") / experiment.folder).absolute())

    def checked() -> tuple[Experiment, SearchSpace]:
        continued = check_folder(folder, experiment, resume, allow_change)
        return continued, check_search(continued, new=not folder.is_ours)

    with interruptible(), InterruptMessage(folder) as message:
        checked()
        with lock(folder):
            found = checked()  # another sweep may have been here meanwhile
            try:
                swept = _run(folder, *found, address, listeners, message)
            except OSError as error:
                raise _stopped(folder, error) from None
            yield swept


def _run(
    folder: Folder,
    experiment: Experiment,
    space: SearchSpace,
    address: str | None,
    listeners: Iterable[Listener],
    message: InterruptMessage,
) -> Swept:
    """Do what is missing of a sweep, in a folder that this process holds."""
    patience = Patience(experiment.limits.stalled_minutes)
    progress = Progress(address, patience)
    listener = Listeners([progress, *listeners])
    with ExitStack() as stack:
        stack.enter_context(quiet_threads())
        stack.callback(listener.close)
        if folder.is_ours:
            repair(folder)
        known = read_records(folder)
        if len(known) >= experiment.most_trials and not missing(folder, experiment, known):
            end_waiting(open_repaired(folder, experiment, known))
            listener.begin(experiment, folder, 0, len(known))
            message.finished = True
            return _ended(folder, known, len(known))
        session = stack.enter_context(open_session(folder, experiment, address, listener, patience))
        stack.callback(progress.close)  # while Ray can still be asked
        try:
            trials = Trials(session, space, known)
            try:
                if trials.missing > 0:
                    with trials.tuning() as tuner:
                        tuner.fit()
                    trials.recorder.write_tables()
                session.check_interrupt()
                if trials.missing <= 0:
                    end_waiting(trials.study)
                _confirm(session, trials)
            finally:
                trials.recorder.write_tables()
            forget(folder, folder.records / "ray")
        except (OSError, TuneError) as error:  # Tune makes the text of a traceback of what a callback raises
            raise _stopped(folder, error) from error
        progress.finished()
        message.finished = True
    if session.interrupts.requested:  # while the last files were written
        raise KeyboardInterrupt
    return _ended(folder, trials.recorder.records, len(known))


def _stopped(folder: Folder, error: Exception) -> SweepFailed:
    """Return what ends a sweep that cannot go on, as on a full disk."""
    reason = str(error).strip().splitlines()[-1]
    return SweepFailed(folder.path, f"the sweep stopped: {reason}; --resume goes on once that is mended")


def _confirm(session: Session, trials: Trials) -> None:
    """Train on fresh seeds what is missing, as far as the time lasts."""
    records = trials.recorder.records
    if affordable(session, records):
        with confirming(session, records, trials.params) as tuner:
            tuner.fit()
    session.check_interrupt()
    if missing(session.folder, session.experiment, records):
        trials.ended_early(f"its {session.total_time.hours:g} hours in all leave no time for more fresh seeds")


def _ended(folder: Folder, records: Sequence[TrialRecord], before: int) -> Swept:
    """Return the sweep's result. Raises SweepFailed where every trial failed."""
    records = sorted(records, key=lambda record: record.number)
    if records and all(record.status == "failed" for record in records):
        raise SweepFailed(folder.path, _all_failed(folder, [record.error for record in records]))
    return Swept(folder, records, len(records) - before)


def _all_failed(folder: Folder, errors: list[str]) -> str:
    """Return the first error, how many trials ended by it, and where the others are."""
    last = [error_line(error) for error in errors]
    path = shlex.quote(str(as_typed(folder.path)))
    return (
        f"every trial failed, {last.count(last[0])} of {len(last)} by: {last[0]}\n"
        f"the first one:\n{errors[0].strip()}\n"
        f"all of them are in {path}; see them with: gansearch report {path}"
    )
