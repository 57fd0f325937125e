"""A sweep from beginning to end: checks, trials, confirmation. The report and the export are others' work."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ray.tune.error import TuneError

from gansearch.experiment import Experiment
from gansearch.formatting import error_line
from gansearch.interrupts import InterruptMessage
from gansearch.search.callbacks.listener import Listener, Listeners, quiet_threads
from gansearch.search.callbacks.progress import Progress, mark_finished
from gansearch.search.check import check_search
from gansearch.search.confirm import affordable, confirming, missing
from gansearch.search.errors import SweepFailed
from gansearch.search.resume import check_folder, end_waiting, open_repaired
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.space_change import with_columns
from gansearch.search.session import Session, open_session
from gansearch.search.trials import Trials
from gansearch.search.watchdog import Patience
from gansearch.search.worker.checkpoints import forget
from gansearch.signals import interruptible
from gansearch.store.folder import Folder, as_typed, write_whole
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
    then: Callable[[Swept], None] = lambda swept: None,
) -> Swept:
    """Run an experiment's trials and their confirmation, into `out` or results/<its folder>.

    `out` is a path, or a folder that is mirrored elsewhere; it is held until `then`, which is called with the result,
    has returned. `address` joins a running Ray cluster; without it Ray starts on this machine and ends with the trials.
    `resume` continues what is in the folder, and with `allow_change` in another search space. Raises SweepError,
    TaskError, StudyError or ExperimentError before anything is written; SweepFailed where every trial failed;
    Interrupted after Ctrl-C or another signal that asks to end.
    """
    folder = out if isinstance(out, Folder) else Folder(Path(out or Path("results") / experiment.folder).absolute())
    with InterruptMessage(folder) as message, _held(folder, experiment, resume, allow_change) as (experiment, space):
        patience = Patience(experiment.limits.stalled_minutes)
        progress = Progress(address, patience)
        listener, session = Listeners([progress, *listeners]), None
        with _stopped_in_words(folder), ExitStack() as stack:
            stack.enter_context(quiet_threads())
            stack.callback(listener.close)
            if folder.is_ours:
                repair(folder)
            records = known = [with_columns(experiment, record) for record in read_records(folder)]
            if len(known) >= experiment.most_trials and not missing(folder, experiment, known):
                _close(folder, experiment, known)
                listener.begin(experiment, folder, 0, len(known))
            else:
                session = stack.enter_context(open_session(folder, experiment, address, listener, patience))
                stack.callback(progress.close)  # while Ray can still be asked
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
                progress.finished()
                records = trials.recorder.records
            message.finished = True
        if session and session.interrupts.requested:  # while the last files were written
            raise KeyboardInterrupt
        swept = _ended(folder, records, len(known))
        then(swept)
        return swept


@contextmanager
def _held(
    folder: Folder, experiment: Experiment, resume: bool, allow_change: bool
) -> Iterator[tuple[Experiment, SearchSpace]]:
    """Hold a folder, in which a signal that asks to end interrupts; yield what is searched there, checked."""

    def checked() -> tuple[Experiment, SearchSpace]:
        continued = check_folder(folder, experiment, resume, allow_change)
        return continued, check_search(continued, new=not folder.is_ours)

    with interruptible():
        checked()
        with lock(folder):
            yield checked()  # another sweep may have been here meanwhile


@contextmanager
def _stopped_in_words(folder: Folder) -> Iterator[None]:
    """Inside, what stops a sweep, such as a full disk, is told in a sentence."""
    try:
        yield
    except (OSError, TuneError) as error:  # Tune makes the text of a traceback of what a callback raises
        reason = str(error).strip().splitlines()[-1]
        why = f"the sweep stopped: {reason}; --resume goes on once that is mended"
        raise SweepFailed(folder.path, why) from error


def _close(folder: Folder, experiment: Experiment, records: Sequence[TrialRecord]) -> None:
    """Bring the files of a sweep that has nothing left to do to the state of one that has ended."""
    end_waiting(open_repaired(folder, experiment, records))
    if Experiment.load(folder.experiment).search == experiment.search:  # study and tables are of that space
        write_whole(folder.experiment, experiment.to_yaml())
    mark_finished(folder)


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
