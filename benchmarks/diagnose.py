"""Measures what `gansearch diagnose` finds in logs of runs whose end is known, and how often it is wrong.

    python benchmarks/diagnose.py [--runs results/reference/diagnose] [--quick]

Three sets. The runs of diagnose_runs.py: what a DCGAN script prints of each batch, with four decimals, against the
monitor's verdict; most of them were trained only when the rules were fixed. The runs of validity_runs.py, by which
score and verdicts were fitted, and those of validity-unfitted: losses of fifty probes as a log, against their distance
and the monitor's verdict. Where none of n healthy logs is flagged the rate of false alarms is under 3/n with 95%
confidence. `--quick` leaves out the recorded runs.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from validity import read

from gansearch.diagnosis.rules.judge import judge
from gansearch.diagnosis.training_log import Game, TrainingLog
from gansearch.stability.report import judge as verdict_of
from gansearch.stability.verdict import VERDICTS

REFERENCE = Path("results/reference")
FAMILY = {"non_saturating": "bce", "minimax": "bce", "hinge": "hinge", "lsgan": "lsgan", "wgan": "wgan"}
HALVES = {"bce": "sum", "hinge": "sum", "lsgan": "mean", "wgan": None}
LATER = {"ring": 23, "grid": 23, "digits": 23, "images": 3}
"""The first index of each task that was trained after the last change of `gansearch/diagnosis/rules`."""
TARGETS = {"false_alarms": 0, "best_quarter_flagged": 0, "worst_quarter_caught": 33}


def log_of(columns: dict[str, Sequence[float]], steps: Sequence[float], loss: str) -> TrainingLog:
    """A log with these columns by role."""
    values = {role: np.asarray(column, float) for role, column in columns.items()}
    printed = {role: np.ones(len(steps), bool) for role in values}
    game = Game("", {role: role for role in values}, values, printed, loss, HALVES[loss])  # type: ignore[arg-type]
    lines = np.arange(1, len(steps) + 1)
    return TrainingLog("", "a table", np.asarray(steps, float), lines, (game,))


def verdicts(log: TrainingLog) -> list[str]:
    """The kinds of findings that say that something is wrong."""
    return [found.kind for found in judge(log)[0] if found.is_verdict]


def printed_runs(folder: Path) -> Iterator[dict[str, Any]]:
    """Each run of diagnose_runs.py with what was found, where four decimals are printed, and without D's answers."""
    runs, lines = pd.read_parquet(folder / "runs.parquet"), pd.read_parquet(folder / "lines.parquet")
    logs = dict(iter(lines.groupby(["task", "index"], observed=True)))
    for run in runs.to_dict("records"):
        table = logs.get((run["task"], run["index"]))
        if table is None:
            continue
        loss = FAMILY[run["loss"]]
        columns = {"d_loss": table.loss_d.round(4), "g_loss": table.loss_g.round(4)}
        losses_alone = verdicts(log_of(columns, table.step, loss))
        if loss == "bce":
            answers = {"p_real": table.real, "p_fake": table.fake, "p_fake_after": table.fake_after}
            columns |= {role: column.round(4) for role, column in answers.items()}
        yield {**run, "found": verdicts(log_of(columns, table.step, loss)), "losses_alone": losses_alone}


def recorded_runs(folder: Path) -> Iterator[dict[str, Any]]:
    """Each recorded run of validity_runs.py, with what was found in its fifty probes' BCE; WGAN's are not judged."""
    table = pd.read_parquet(folder / "runs.parquet")
    table = table[table.stage == 1.0].to_dict("records")
    whole = [run for stage, run in read(folder) if stage == 1.0]
    for recorded, run in zip(table, whole, strict=True):
        losses = [np.nan if row.invalid else row.loss_d / row.probes for row in run.rows]
        log = log_of({"d_loss": losses}, [row.step for row in run.rows], "bce")
        yield {
            **{key: recorded[key] for key in ("task", "index", "seed", "loss")},
            "distance": run.distance,
            "verdict": verdict_of(run.rows, run.since, run.ruling).verdict,
            "found": verdicts(log) if recorded["loss"] != "wgan" else [],
        }


def table_of(runs: Sequence[dict[str, Any]], key: str = "found") -> list[str]:
    """Lines of a table by verdict: runs, flagged ones, and as what."""
    lines = ["| the monitor's verdict | runs | flagged | as |", "|---|---|---|---|"]
    for verdict in reversed(VERDICTS):
        of = [run for run in runs if run["verdict"] == verdict]
        kinds = Counter(run[key][0] for run in of if run[key])
        as_what = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
        if of:
            lines.append(f"| {verdict} | {len(of)} | {sum(kinds.values())} | {as_what} |")
    return lines


def quarters(runs: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(best, worst) quarters of each task's runs by distance, of which WGAN's are left out then."""
    rank = pd.DataFrame(runs).groupby("task", observed=True).distance.rank(pct=True)
    ranked = [(run, place) for run, place in zip(runs, rank, strict=True) if run["loss"] != "wgan"]
    return [run for run, place in ranked if place <= 0.25], [run for run, place in ranked if place > 0.75]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=REFERENCE / "diagnose")
    parser.add_argument("--quick", action="store_true", help="the printed runs alone")
    options = parser.parse_args()
    runs = list(printed_runs(options.runs))
    later = [run for run in runs if run["index"] >= LATER[run["task"]]]
    for title, some, key in (
        ("all runs", runs, "found"),
        ("those that were trained when the rules were fixed", later, "found"),
        ("all runs, by their losses alone", runs, "losses_alone"),
    ):
        print(f"## {title}", *table_of(some, key), "", sep="\n")
    healthy = [run for run in runs if run["verdict"] == "balanced"]
    flagged = [run for run in healthy if run["found"]]
    figures: dict[str, Any] = {
        "runs": len(runs),
        "healthy": len(healthy),
        "false_alarms": len(flagged),
        "bound": round(3 / len(healthy), 4) if healthy and not flagged else None,
    }
    if not options.quick:
        figures |= recorded_figures()
    ok = figures["false_alarms"] <= TARGETS["false_alarms"]
    if not options.quick:
        ok &= figures["best_quarter_flagged"] <= TARGETS["best_quarter_flagged"]
        ok &= figures["worst_quarter_caught"] >= TARGETS["worst_quarter_caught"]
    print(json.dumps({"benchmark": "diagnose", "figures": figures, "targets": TARGETS, "ok": bool(ok)}))


def recorded_figures() -> dict[str, Any]:
    """What was found in the recorded runs."""
    figures: dict[str, Any] = {}
    for name in ("validity", "validity-unfitted"):
        runs = list(recorded_runs(REFERENCE / name))
        best, worst = quarters(runs)
        flagged, caught = ([run for run in part if run["found"]] for part in (best, worst))
        print(f"## {name}", *table_of([run for run in runs if run["loss"] != "wgan"]), "", sep="\n")
        print(f"best quarter flagged: {len(flagged)} of {len(best)}; worst quarter: {len(caught)} of {len(worst)}\n")
        prefix = "" if name == "validity" else "unfitted_"
        figures |= {f"{prefix}best_quarter": len(best), f"{prefix}best_quarter_flagged": len(flagged)}
        figures |= {f"{prefix}worst_quarter": len(worst), f"{prefix}worst_quarter_caught": len(caught)}
    return figures


if __name__ == "__main__":
    main()
