"""What the commands print when they are done: summaries, and how far a run is."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gansearch.gan import Probe
    from gansearch.study.study import Study
    from gansearch.training.train import TrainResult

_TOLD_SECONDS = 30.0
"""Between two lines on how far a training is, where output is no terminal."""


def print_summary(study: Study, page: Path | None = None) -> None:
    from gansearch.formatting import many
    from gansearch.store.folder import as_typed

    counts = study.counts
    others = ", ".join(f"{counts[status]} {status}" for status in ("pruned", "failed") if counts[status])
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in study.verdicts.items())
    what = f"{counts['total']} of {many(study.experiment.trials, 'trial')}" + (f" ({others})" if others else "")
    print(f"{what}: {verdicts}" if verdicts else what)
    if study.run.get("ended"):
        print(f"ended early: {study.run['ended']}")
    best, folder = study.best, study.folder
    if best is None:
        print(study.nothing_healthy())
    else:
        confirmed = f"{best.healthy} of {len(best.seeds)} fresh seeds balanced" if best.confirmed else "not confirmed"
        interval = f" ({best.interval[0]:.4g} to {best.interval[1]:.4g} with new seeds)" if best.interval else ""
        print(f"best-balanced: trial {best.number}, {confirmed}")
        print(f"  stability {best.stability:.2f}, distance {best.distance:.4g}{interval}")
        for name, value in best.shown.items():
            print(f"  {name:15} {value:.4g}" if isinstance(value, float) else f"  {name:15} {value}")
    if default := study.default:
        seeds = f"{default.healthy} of {len(default.seeds)} balanced"
        print(f"{default.label}: {seeds}, distance {default.distance:.4g}")
    if best is not None:
        print(f"export it:  gansearch export {shlex.quote(str(as_typed(folder.path)))} -o best.yaml")
    if page is not None:
        print(f"report:     {as_typed(page)}")


def print_trained(result: TrainResult, out: Path | None) -> None:
    for seed in result.seeds:
        quality = ", ".join(f"{name} {value:.4g}" for name, value in seed.quality.items())
        print(f"seed {seed.seed}: {seed.verdict}, stability {seed.stability:.2f}, {quality}")
        print(f"  {seed.sentence}")
    print(
        f"{result.healthy} of {len(result.seeds)} balanced; "
        f"median stability {result.stability:.2f}, distance {result.distance:.4g}"
    )
    if out is not None:
        print(f"samples, curves and generators: {out}")
        programs = sorted(out.glob("seed-*/generator.pt2"))
        if programs:
            latents = f"torch.randn(64, {result.latent_dim})"
            print(f"in torch alone: torch.export.load({str(programs[0])!r}).module()({latents})")


def print_progress(updates: int) -> Callable[[int, Probe], None]:
    """Tells how far a seed is on the error stream: at each probe where that is a terminal, else now and then."""
    from gansearch.formatting import duration

    began: dict[int, tuple[float, int]] = {}
    told = time.monotonic()

    def watch(seed: int, probe: Probe) -> None:
        nonlocal told
        now, drawn = time.monotonic(), sys.stderr.isatty()
        start, before = began.setdefault(seed, (now, probe.update))  # a resumed one begins in the middle
        over = probe.update >= updates
        if not drawn and (now - told < _TOLD_SECONDS or over):
            return
        told = now
        rate = (probe.update - before) / (now - start) if now > start else 0
        left = f", about {duration((updates - probe.update) / rate)} left" if rate and not over else ""
        text = (
            f"seed {seed}: update {probe.update:,} of {updates:,}{left}; D(real) {probe.p_real:.2f}, "
            f"D(fake) {probe.p_fake:.2f}, separability {probe.separability:.2f}"
        )
        end = "\n" if over or not drawn else ""
        print(f"\r\x1b[K{text}" if drawn else text, end=end, file=sys.stderr, flush=True)

    return watch
