"""What the commands print: summaries of a sweep or a training, and the progress of a training."""

from __future__ import annotations

import math
import os
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gansearch.cli.terminal import say
from gansearch.formatting import duration, error_line, gpu_hours, many, readings, short, step_text

if TYPE_CHECKING:
    from gansearch.gan import Probe
    from gansearch.study.data import StudyData
    from gansearch.study.study import Study
    from gansearch.training.train import TrainResult

_PROGRESS_SECONDS = 30.0
"""Time between two lines of progress where stderr is no terminal."""
_ERRORS, _ERROR_CHARACTERS = 3, 160
"""Different errors of trials that a summary has, and the characters of each."""


def print_summary(study: Study, page: Path | None = None) -> None:
    """Prints what a sweep found, the command that exports it, and the path of its report."""
    from gansearch.store.folder import as_typed

    counts = study.counts
    others = ", ".join(f"{counts[status]} {status}" for status in ("pruned", "failed") if counts[status])
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in study.verdicts.items())
    is_auto = study.experiment.trials == "auto"
    total = "" if is_auto else f"{counts['total']} of "
    total += many(counts["total"] if is_auto else study.experiment.most_trials, "trial")
    total += f" ({others})" if others else ""
    say(f"{total}: {verdicts}" if verdicts else total)
    if study.unknown:
        say(f"  {study.unknown}")
    for count, why in failures(study):
        say(f"  {count} failed: {why}")
    if study.run.get("ended"):
        say(f"ended{'' if is_auto else ' early'}: {study.run['ended']}")
    if study.score_remark:
        say(study.score_remark)
    if study.gpu_hours is not None:
        say(f"cost: {gpu_hours(study.gpu_hours)}")
    best = study.best
    if best is None:
        say(study.nothing_healthy())
    else:
        confirmed = (
            f"{best.healthy} of {len(best.seeds)} fresh seeds {study.healthy_word}"
            if best.confirmed
            else "not confirmed"
        )
        interval = f" ({best.interval[0]:.4g} to {best.interval[1]:.4g} with new seeds)" if best.interval else ""
        name = "best-balanced" if study.healthy_word == "balanced" else "nearest of the healthy"
        say(f"{name}: trial {best.number}, {confirmed}")
        say(f"  {', '.join(readings(best.stability, best.distance))}{interval}")
        for name, value in best.readable_params.items():
            say(f"  {name:15} {value:.4g}" if isinstance(value, float) else f"  {name:15} {value}")
    if default := study.default:
        seeds = f"{default.healthy} of {len(default.seeds)} {study.healthy_word}"
        say(", ".join([f"{default.label}: {seeds}", *readings(math.nan, default.distance)]))
    if best is not None:
        say(f"export it:  gansearch export {shlex.quote(str(as_typed(study.folder.path)))} -o best.yaml")
    if page is not None:
        say(f"report:     {as_typed(page)}")


def failures(study: StudyData) -> list[tuple[int, str]]:
    """Returns the most frequent errors of failed trials, each in a line, with the number of trials."""
    errors = study.trials.loc[study.trials["status"] == "failed", "error"].fillna("").astype(str)
    counted = errors.map(error_line).value_counts().head(_ERRORS)
    return [(int(count), short(str(line), _ERROR_CHARACTERS)) for line, count in counted.items()]


def print_trained(result: TrainResult, out: Path | None) -> None:
    """Prints the result of each seed, their medians, and the files in `out`, with a report."""
    from gansearch.study.trained import Trained

    for seed in result.seeds:
        numbers = [("stability", seed.stability), *seed.quality.items()]
        finite = [(name, value) for name, value in numbers if math.isfinite(value)]
        known = [f"{name} {value:.4g}" if name != "stability" else f"{name} {value:.2f}" for name, value in finite]
        say(f"seed {seed.seed}: {', '.join([seed.verdict, *known])}")
        say(f"  {seed.sentence}")
    medians = f"; median {', '.join(known)}" if (known := readings(result.stability, result.distance)) else ""
    say(f"{result.healthy} of {len(result.seeds)} {result.healthy_word}{medians}")
    if out is not None:
        say(f"samples, curves and generators: {out}")
        say(f"report:     {Trained(out).report()}")
        programs = sorted(out.glob("seed-*/generator.pt2"))
        if programs:
            given = [f"torch.randn(64, {result.latent_dim})"] if result.latent_dim else []
            given += ["conditions"] if programs[0].with_name("conditions.npy").is_file() else []
            say(f"in torch alone: torch.export.load({str(programs[0])!r}).module()({', '.join(given)})")


def print_progress(updates: int) -> Callable[[int, Probe], None]:
    """Returns a function that prints a seed's progress to stderr at a probe.

    In a terminal each probe rewrites the line, cut to its width. Elsewhere a line is printed at most every 30 seconds.
    """
    starts: dict[int, tuple[float, float]] = {}
    printed = time.monotonic()

    def watch(seed: int, probe: Probe) -> None:
        nonlocal printed
        now, terminal = time.monotonic(), sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        start, first_update = starts.setdefault(seed, (now, probe.update))  # a resumed seed starts in the middle
        over = probe.update >= updates
        if not terminal and (now - printed < _PROGRESS_SECONDS or over):
            return
        printed = now
        rate = (probe.update - first_update) / (now - start) if now > start else 0
        left = f", about {duration((updates - probe.update) / rate)} left" if rate and not over else ""
        numbers = {"D(real)": probe.p_real, "D(fake)": probe.p_fake, "separability": probe.separability}
        known = ", ".join(f"{name} {value:.2f}" for name, value in numbers.items() if math.isfinite(value))
        text = f"seed {seed}: update {step_text(probe.update, 4)} of {step_text(updates)}{left}"
        text += f"; {known}" if known else ""
        text = short(text, shutil.get_terminal_size().columns - 1) if terminal else text
        end = "\n" if over or not terminal else ""
        print(f"\r\x1b[K{text}" if terminal else text, end=end, file=sys.stderr, flush=True)

    return watch
