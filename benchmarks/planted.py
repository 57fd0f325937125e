"""Plants faults into the samples of an otherwise perfect generator, and says which of them are seen, and by what.

    python benchmarks/planted.py [--kinds points images sounds texts tables] [--quick]

For each kind of data a generator gives sound samples that its task has not got, and faulty ones. Its discriminator is
healthy: its logits are normal around ±.2. A fault is seen by the verdict where it is not `balanced`, and by the
distance where that lies over three standard deviations from those of sound draws. Sound draws that are not balanced are
false alarms. About four minutes on a core.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
from planted_data import CPU, Kind, Source, coloured, digits, points, sounds
from planted_rows import tables, texts

from gansearch.gan.data import data_of
from gansearch.gan.evaluation import PROBE_SAMPLES
from gansearch.gan.probe_schedule import PROBES
from gansearch.gan.ruling import MOST_SAMPLES, ruling_of
from gansearch.gan.tasks import Grid, Ring
from gansearch.stability.monitor import StabilityMonitor
from gansearch.stability.report import StabilityReport

KINDS: dict[str, list[Callable[[], Kind]]] = {
    "points": [lambda: points(Ring()), lambda: points(Grid())],
    "images": [digits, coloured],
    "sounds": [sounds],
    "texts": [texts],
    "tables": [tables],
}
HEALTHY = 0.2
"""D's mean logit of reals, and minus that of fakes; their standard deviation is 1, so that separability is .61."""
CERTAIN = 8.0
"""D's logit of reals, and minus that of fakes, where it answers 1 and 0."""
BROKEN = 5
"""Probes at the end, of 50, in which something is broken."""
SOUND, SOUND_QUICK = 8, 3
"""Draws of the sound generator; of each faulty one there is one."""
FAULTY_SEED = 100
NOT_SEEN = "**not seen**"
FAR = 3.0
"""Standard deviations of the sound draws' distances from which a distance shows a fault."""


@dataclass(frozen=True)
class Outcome:
    """How one run of a generator was judged."""

    report: StabilityReport
    distance: float


@dataclass(frozen=True)
class Row:
    """One fault of one kind of data, or the sound generator over its draws."""

    fault: str
    verdicts: Counter[str]
    observer_auc: float
    far: float
    """Its distance from the mean of the sound ones, in their standard deviations."""

    @property
    def seen_by(self) -> list[str]:
        """What sees the fault: the verdict, the distance, or neither."""
        ways = {"verdict": "balanced" not in self.verdicts, "distance": abs(self.far) > FAR}
        return [way for way, seen in ways.items() if seen]


def judged(kind: Kind, source: Source, seed: int, ends_in: Source | None = None, certain: bool = False) -> Outcome:
    """Judges 50 probes of a generator as the trainer does; the last ones may be of another, or of a certain D."""
    draws, data = torch.Generator().manual_seed(seed), data_of(kind.task, CPU)
    monitor, real = StabilityMonitor(), data.held_out[:PROBE_SAMPLES]
    for probe in range(PROBES):
        late = probe >= PROBES - BROKEN
        source = ends_in if ends_in and late else source
        noise = torch.randn(2, len(real), generator=draws)
        scores = CERTAIN + noise / 10 if certain and late else HEALTHY + noise
        samples = source(len(real), draws)
        # The noise is symmetric: fakes are minus what reals would be.
        embedded = kind.task.embedding(real), kind.task.embedding(samples)
        monitor.update(scores[0], -scores[1], step=probe + 1, samples=embedded)
    fake = source(min(MOST_SAMPLES, max(len(data.held_out), 100)), draws)
    ruling = ruling_of(kind.task, data, fake, lambda n: source(n, draws))
    distance = kind.task.quality(data.held_out, source(len(data.held_out), draws))["distance"]
    return Outcome(monitor.report(since=PROBES // 2, ruling=ruling), distance)


def examine(kind: Kind, sound: int) -> list[Row]:
    """The sound generator's row, then one a fault."""
    healthy = [judged(kind, kind.sound, seed) for seed in range(sound)]
    distances = [outcome.distance for outcome in healthy]
    usual, spread = statistics.mean(distances), statistics.stdev(distances)

    def row(fault: str, outcomes: list[Outcome]) -> Row:
        return Row(
            fault,
            Counter(outcome.report.verdict for outcome in outcomes),
            statistics.mean(outcome.report.observer_auc for outcome in outcomes),
            (statistics.mean(outcome.distance for outcome in outcomes) - usual) / spread,
        )

    return [
        row("none", healthy),
        *(row(fault, [judged(kind, source, FAULTY_SEED)]) for fault, source in kind.faults.items()),
        row("D answers 1 and 0 in the last tenth", [judged(kind, kind.sound, FAULTY_SEED, certain=True)]),
        row("samples are noise in the last tenth", [judged(kind, kind.sound, FAULTY_SEED, ends_in=kind.noise)]),
    ]


def summary(seen: dict[str, dict[str, list[str]]]) -> str:
    """A markdown table of all faults, what each is seen by, with a column for each kind that has it."""

    def cell(ways: list[str] | None) -> str:
        return "" if ways is None else {0: NOT_SEEN, 2: "both"}.get(len(ways), "".join(ways))

    faults = dict.fromkeys(fault for kind in seen.values() for fault in kind)
    rows = [[fault, *(cell(kind.get(fault)) for kind in seen.values())] for fault in faults]
    return "\n".join(f"| {' | '.join(row)} |" for row in [["fault", *seen], ["---"] * (1 + len(seen)), *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), help="all by default")
    parser.add_argument("--quick", action="store_true", help="fewer sound draws, of points and tables if no --kinds")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sound = SOUND_QUICK if options.quick else SOUND
    kinds = options.kinds or (["points", "tables"] if options.quick else list(KINDS))
    seen: dict[str, dict[str, list[str]]] = {}
    alarms = 0
    for kind in (make() for name in kinds for make in KINDS[name]):
        print(f"\n| {kind.name}: fault | verdict | observer | distance | seen by |\n|---|---|---|---|---|")
        rows = examine(kind, sound)
        for row in rows:
            verdicts = ", ".join(
                f"{verdict}" + f" {n}" * (len(row.verdicts) > 1) for verdict, n in row.verdicts.items()
            )
            by = " and ".join(row.seen_by) or ("" if row.fault == "none" else NOT_SEEN)
            print(f"| {row.fault} | {verdicts} | {row.observer_auc:.2f} | {row.far:+.1f} | {by} |", flush=True)
        alarms += sound - rows[0].verdicts["balanced"]
        seen[kind.name] = {row.fault: row.seen_by for row in rows[1:]}
    print(f"\n{summary(seen)}\n")
    figures = {**seen, "false_alarms": alarms}
    print(json.dumps({"benchmark": "planted", "figures": figures, "targets": {"false_alarms": 0}, "ok": alarms == 0}))


if __name__ == "__main__":
    main()
