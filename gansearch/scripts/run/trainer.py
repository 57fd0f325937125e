"""Trains by running a script of the user's: a `gansearch.gan.SeedTrainer` that reads what the script writes."""

from __future__ import annotations

import math
import secrets
import signal
import tempfile
import time
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gansearch.diagnosis.numbers.errors import did_you_mean
from gansearch.experiment import DistanceCommand, LoopTraining, ScriptTask
from gansearch.experiment.placeholders import names
from gansearch.formatting import duration
from gansearch.gan.result import Probe, Result
from gansearch.gan.task import Trainable
from gansearch.scripts.errors import ScriptFailed
from gansearch.scripts.prepare.prepare import Prepared, prepare
from gansearch.scripts.run.process import Ended, Process, free_port
from gansearch.scripts.run.reading import Look, Reading, probe_of
from gansearch.scripts.run.records import copy_out, kept, mask, secret_values
from gansearch.scripts.run.verdict import Judgement, judgement
from gansearch.stability.verdict import hopeless

POLL_SECONDS = 0.5
"""Between two readings of what a script writes."""
LOOK_SECONDS, LOOK_SHARE = 1.0, 0.1
"""Between two judgements, at least; and the share of the time that they may take."""
ALIVE_SECONDS = 10.0
"""After which a silent script is said to be alive."""
SHOWN_SECONDS = 60.0
"""After which rows are shown though there are few; the first ones are at once."""
PROBES = 200
"""Of a whole run, at most: rows between them are averaged."""
GRACE_SECONDS, GRACE_SHARE = 60.0, 0.1
"""For which a script may go on at the end of its budget, at least, and as a share of the time that it took."""
LONGEST = 2
"""Times its budget for a script that is given `{updates}` and ends by itself, in its own count of them."""
LAST_LINES = 15


class ScriptTrainer:
    """Trains one seed by running the script once, in a folder of its own.

    A run that was interrupted begins anew.
    """

    def __init__(
        self,
        task: Trainable,
        script: ScriptTask,
        training: LoopTraining,
        seed: int = 0,
        gpu_ids: Sequence[str] = (),
        prune: bool = False,
    ):
        """Start nothing yet."""
        self.task, self.training, self.seed = task, training, seed
        self.seconds = 0.0
        self.stopped = ""
        self.look = Look()
        """What is known of the training by now."""
        self.paced: list[tuple[float, float]] = []
        """The first and the last time at which rows were read, as (seconds, time of the script)."""
        self._script, self._gpu_ids, self.prune = script, list(gpu_ids), prune
        self._holder = tempfile.TemporaryDirectory(prefix="gansearch-", ignore_cleanup_errors=True)
        self.folder = Path(self._holder.name, "run")
        self._prepared: Prepared | None = None
        self._process: Process | None = None
        self._reading: Reading | None = None
        self._ending = ""  # why the script was told to end, empty while it was not
        self._over_budget = self._complete = self._tried = False
        self._at_end = 0.0  # the seconds after which its budget was reached
        self._measured = math.nan  # what the distance's command printed
        self._judged: tuple[Look, Judgement] | None = None
        self._secret_values: list[str] = []

    @property
    def updates(self) -> int:
        """How far the script was when it wrote last, in its own unit."""
        return math.ceil(self.look.time)

    @property
    def share(self) -> float:
        """Share of the budget that is done, in [0, 1]."""
        return 1.0 if self._complete else min(1.0, self.look.time / self.training.updates)

    @property
    def pace(self) -> float:
        """Seconds for a unit of its time, without what the script does before its first row; 0 where it is unknown."""
        if len(self.paced) < 2 or self.paced[1][1] <= self.paced[0][1]:
            return 0.0
        (began, first), (seconds, last) = self.paced
        return (seconds - began) / (last - first)

    @property
    def stability(self) -> float:
        """What the numbers so far allow to say; NaN where that is nothing."""
        return self._judgement.stability

    def run(self, most_seconds: float = math.inf, at_least: float = 0.0) -> Generator[Probe, None, None]:
        """Run the script and yield what it writes as probes; one without numbers says that it lives.

        It is ended at its budget, when `stopped` is set, and after `most_seconds`. Rows are averaged over `at_least`.

        Raises:
            ScriptError: It cannot be prepared.
            ScriptFailed: It failed, or wrote no number.
        """
        if self.stopped or self._complete:
            return
        begun = time.time()
        prepared = self._prepared = self._prepare()
        self._secret_values = secret_values(prepared.environment)
        process = self._process = self._start(prepared.words)
        self._reading = Reading(self._script, prepared.metrics, process.output, begun)
        try:
            least = at_least or self.training.updates / PROBES
            yield from self._follow(process, self._reading, least, most_seconds)
        finally:
            ended = process.close()
            self.seconds += time.monotonic() - process.started
        self._finish(ended)

    def _follow(
        self, process: Process, reading: Reading, least: float, most_seconds: float
    ) -> Generator[Probe, None, None]:
        yielded = due = 0.0
        said = shown = time.monotonic()
        while True:
            ended = process.wait(POLL_SECONDS)
            news = reading.read()
            if ended:
                reading.finish()
            now = time.monotonic()
            if ended or (news and now >= due) or (now - said > ALIVE_SECONDS and not self._ending):
                self.look = reading.look()
                self.paced = [*self.paced[:1], (now - process.started, self.look.time)] if self.look.time else []
                due = time.monotonic() + max(LOOK_SECONDS, (time.monotonic() - now) / LOOK_SHARE)
                for probe in self._due_probes(yielded, least, now - shown, bool(ended)):
                    yielded, said, shown = probe.update, now, now
                    yield probe
                if now - said > ALIVE_SECONDS and not ended:
                    said = now
                    yield probe_of(yielded)
            if ended:
                return
            self._end_if_due(process, most_seconds)

    def _due_probes(self, since: float, least: float, waited: float, ended: bool) -> list[Probe]:
        """The rows after a time as probes; few of them where none was shown yet, or the last one long ago."""
        if self._ending and not ended:
            return []
        probes = self.look.probes(since, least)
        if not probes and self.look.time > since and (not since or waited > SHOWN_SECONDS):
            probes = self.look.probes(since, self.look.time - since)
        return [probe for probe in probes if probe.update <= self._budget]

    def _end_if_due(self, process: Process, most_seconds: float) -> None:
        """Tell the script to end, once there is a reason."""
        if self._ending:
            return
        seconds, limit = time.monotonic() - process.started, self._script.limit_seconds
        if self.prune and not self.stopped:
            self.stopped = self._hopeless()
        if self.stopped:
            self._ending = self.stopped
        elif self._is_over(seconds):
            self._ending, self._over_budget = "its budget is over", True
        elif limit is not None and seconds > limit:
            self._ending = f"it took longer than task.limit_seconds, {duration(limit)}"
        elif seconds > most_seconds:
            self._ending, self._over_budget, self._tried = f"it was tried for {duration(most_seconds)}", True, True
        if self._ending:
            process.stop()

    def _is_over(self, seconds: float) -> bool:
        """Whether its budget is over: it has gone beyond it, or has been at its end for long; it may be saving."""
        if self.look.time < self._budget:
            return False
        self._at_end = self._at_end or seconds
        return self.look.time > self._budget or seconds - self._at_end > max(GRACE_SECONDS, GRACE_SHARE * seconds)

    @property
    def _budget(self) -> float:
        """Its time at which a script is ended: at once, or late where it was given its length and ends by itself."""
        return self.training.updates * (LONGEST if "updates" in set(names(self._script.texts)) else 1)

    def _hopeless(self) -> str:
        """Why the training is beyond hope; empty where it is not, or nobody knows."""
        found = next(filter(None, (hopeless(rows, self.share) for rows in self.look.monitors.values())), "")
        diverged = self.look.has_numbers and not self.look.monitors and self._judgement.verdict == "diverged"
        return self._judgement.sentence if diverged else found

    def _finish(self, ended: Ended) -> None:
        """Measure the distance where a command does. Raises ScriptFailed where the script failed."""
        if self._tried:
            return
        if self.stopped or (self._over_budget and self.look.has_numbers):
            failed = ""
        elif self._ending:
            failed = self._ending
        else:
            failed = "" if ended.is_success else str(ended)
        if failed:
            raise self._failure(failed)
        if isinstance(self._script.distance, DistanceCommand) and not self.stopped:
            self._measured = self._measure()
        elif not self.look.has_numbers and not self.stopped:
            why = self._reading.why_nothing() if self._reading else ""
            raise self._failure(f"{ended}, but no number was read{why and f': {why}'}")
        self._complete = not self.stopped

    def _measure(self) -> float:
        """Run the command that prints the distance. Raises ScriptFailed where it prints none."""
        assert self._prepared is not None
        assert self._prepared.distance_words is not None
        process = self._start(self._prepared.distance_words)
        try:
            ended = process.wait(self._script.limit_seconds or 24 * 3600)
        finally:
            process.close()
        found = process.output.stdout.last_number()
        if ended is None or not ended.is_success or found is None:
            how = "it took too long" if ended is None else str(ended)
            why = f"{how}, and printed no number" if ended and ended.is_success else how
            raise self._failure(f"task.distance.command: {why}", process)
        return found

    def _failure(self, why: str, process: Process | None = None) -> ScriptFailed:
        """The error of a failed run, with the last lines of its output."""
        lines = one.output.last_lines(LAST_LINES) if (one := process or self._process) else []
        text = f"{self._script.name}: {why}" + ("" if not lines else "; its last lines:\n" + "\n".join(lines))
        return ScriptFailed(self._masked(text))

    def remark(self, searched: Iterable[str] = ()) -> str:
        """What the user should know of the run, empty if nothing."""
        process, wanted = self._process, self._script.distance
        if process and process.ended and process.ended.left:
            return f"left processes that cannot be ended: {', '.join(process.ended.left)}"
        if isinstance(wanted, str) and wanted and not self.look.distances and self._reading:
            known = self._reading.columns()
            hint = did_you_mean(wanted, known) or f" There are {', '.join(known[:10]) or 'none'}."
            return f"task.distance: no column is called {wanted!r}.{hint}"
        missed = sum(stream.left_out for _, stream in process.output.streams) if process else 0
        return f"printed so fast that {missed / 1e6:,.0f} MB were not read for numbers" if missed else ""

    def standing(self) -> tuple[float, float]:
        """(stability, last distance) as they are now."""
        return self.stability, self.look.distance

    def result(self) -> Result:
        """Judge the run as far as it went."""
        found = self._judgement
        distance = self._measured if math.isfinite(self._measured) else self.look.distance
        verdict, sentence = found.verdict, self._masked(found.sentence)
        if isinstance(self._script.distance, DistanceCommand) and self._complete and not math.isfinite(self._measured):
            verdict, sentence = "diverged", "The command that measures the distance gives no finite number."
        diverged = verdict == "diverged"
        stopped = f"Stopped at {self.look.time:g}: {self.stopped}. " if self.stopped else ""
        return Result(
            seed=self.seed,
            status="failed" if diverged else "pruned" if self.stopped else "complete",
            error=f"diverged: {sentence}" if diverged else "",
            verdict=verdict,
            sentence=stopped + sentence,
            stability=0.0 if diverged else found.stability,
            distance=distance,
            quality={"distance": distance} if math.isfinite(distance) else {},
            updates=self.updates,
            train_seconds=self.seconds,
            samples=np.zeros(0, np.float32),
            **found.measured,
        )

    def samples(self, n: int) -> Tensor:
        """None, (0,): the script keeps its generator to itself."""
        return torch.empty(0)

    def conditions(self, n: int) -> None:
        """None: the script keeps its conditions to itself."""

    def training_distance(self) -> float:
        """NaN: the script keeps its networks to itself."""
        return math.nan

    def final_generator(self) -> None:
        """None: the script keeps its networks to itself."""
        return None

    def records(self) -> dict[str, str]:
        """The command, what was changed in its copy, the settings, and the last lines that it printed, by file name."""
        if self._prepared is None or self._process is None:
            return {}
        return kept(self._script, self._prepared, self._process.output, self._secret_values)

    def copy_files(self, folder: Path) -> None:
        """Copy what the script left in its `{out}`, and its output, into a new `folder`. Raises OSError."""
        copy_out(self._prepared.out if self._prepared else None, folder)
        for name, text in self.records().items():
            (folder / name).write_text(text)
        for name, stream in self._process.output.streams if self._process else ():
            (folder / f"{name}.txt").write_text(self._masked(stream.kept().decode(errors="replace")))

    def state(self) -> dict[str, Any]:
        """Nothing: a script begins anew."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Begin anew."""

    @property
    def _judgement(self) -> Judgement:
        if self._judged is None or self._judged[0] is not self.look:
            self._judged = self.look, judgement(self.look)
        return self._judged[1]

    def _prepare(self) -> Prepared:
        self.folder = Path(self._holder.name, f"run-{secrets.token_hex(4)}")
        self._token = secrets.token_hex(16)
        return prepare(
            self._script,
            self.training.params,
            folder=self.folder,
            seed=self.seed,
            updates=self.training.updates,
            gpu_ids=self._gpu_ids,
            port=free_port(),
            token=self._token,
            threads=torch.get_num_threads(),
        )

    def _start(self, words: Sequence[str]) -> Process:
        assert self._prepared is not None
        number, holder = signal.Signals[self._script.stop_signal], Path(self._holder.name)
        given = (words, self._prepared.environment, self._prepared.cwd)
        return Process(*given, token=self._token, stop_signal=number, folder=holder)

    def _masked(self, text: str) -> str:
        return mask(text, self._secret_values)
