"""The five questions that a report answers first, each in words and with one picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gansearch.formatting import number, words
from gansearch.stability.band import MEASURES, Band, band_of, shipped_band
from gansearch.stability.sentence import MEMORISES
from gansearch.stability.verdict import ADVICE, HEALTHY, MEANING
from gansearch.study.analysis.changes import LEAST, SEEDS, Change
from gansearch.study.analysis.moments import Moment, distances_of, moment_of
from gansearch.study.analysis.seeds import Seeds, default_trial
from gansearch.study.figures import answers as figures
from gansearch.study.figures.base import EmptyFigureError
from gansearch.study.plots import Plots

BROKEN = "Is it broken, or does it look like that?"
WHEN = "Stop, go on, or roll back?"
CHANGE = "Which setting, and by how much?"
HOLDS = "On how many seeds does it hold?"
MEMORY = "Is D memorising?"
MOST = 3
"""Changes that are given at most."""
_MOST_HEALTHY = 200
"""Trials that make a band at most."""


@dataclass(frozen=True)
class Answer:
    """One question with its answer."""

    id: str
    """Of its picture."""
    question: str
    short: str
    """The answer in a few words."""
    text: str
    draw: Callable[[], go.Figure]
    """The picture. Raises EmptyFigureError where there is none."""


def answers_of(study: Plots) -> list[Answer]:
    """The five questions of a sweep; none before a trial has a verdict."""
    if study.choice is None:
        return []
    trial = study.curves[study.curves["number"] == study.choice.number]
    default = default_trial(study.experiment, study.trials)
    about = study.choice.number if default is None else default
    runs = {_label(about, default): study.curves[study.curves["number"] == about]}
    if about != study.choice.number:
        runs[_label(study.choice.number, default)] = trial
    row = study.trials[study.trials["number"] == about].iloc[0]
    loss = str(row["loss"]) if "loss" in row else str(getattr(study.experiment.training, "loss", ""))
    before = [_pretraining(study, number) for number in (about, study.choice.number)]
    updates = study.experiment.training.updates
    verdict = row["verdict"] if isinstance(row["verdict"], str) else ""
    shown = {label: run_of(part, steps, updates) for (label, part), steps in zip(runs.items(), before, strict=False)}
    return [
        is_broken(shown, verdict, band_for(study, loss)),
        when(trial, f"Trial {study.choice.number}", study.experiment.is_loop),
        which_change(study.changes()[:MOST], "default settings"),
        holds(study.groups, study.choice.confirmed),
        memorises(trial),
    ]


def is_broken(runs: dict[str, dict[str, np.ndarray]], verdict: str, healthy: Band) -> Answer:
    """Whether the first of some runs is broken: by its verdict, beside the band of healthy runs."""
    label, run = next(iter(runs.items()))
    inside = healthy.inside(run)
    where = (
        f"Its curves are inside the band of {healthy.runs} {healthy.source} at {inside:.0%} of the probes"
        f" (nine in ten of these: {healthy.usual:.0%} or more)."
        if np.isfinite(inside)
        else "It has no curve."
    )
    if verdict == "balanced":
        short = f"{label}: not broken" + ("" if not inside < healthy.usual else ", though it looks unusual")
    elif verdict in HEALTHY:
        short = f"{label}: not known to be broken"
    elif verdict:
        short = f"{label}: broken, {words(verdict)}"
    else:
        short = f"{label}: stopped before it could be judged"
    text = f"{MEANING[verdict]} {where}" if verdict and verdict != "balanced" else where
    lines = {name: (part["share"], part["separability"]) for name, part in runs.items()}
    return Answer("answer-broken", BROKEN, short, text, partial(figures.band, lines, healthy))


def when(curves: pd.DataFrame, label: str, is_loop: bool = False) -> Answer:
    """Whether a run should have gone on, could stop, or was better before; `curves` are its rows.

    The networks of a training loop or script are its own, so that nothing but itself can keep those of a moment.
    """
    moment = moment_of(curves)
    if moment is None:
        text = "The distance was measured fewer than three times."
        return Answer("answer-when", WHEN, "Not known", text, partial(_nothing, text))
    short = {"go on": "Go on", "stop": "Stop there", "roll back": f"Roll back to update {moment.update:,.0f}"}
    return Answer(
        "answer-when",
        WHEN,
        short[moment.advice],
        _when_text(moment, label, is_loop),
        partial(figures.course, distances_of(curves), moment),
    )


def _when_text(moment: Moment, label: str, is_loop: bool) -> str:
    nearest = f"{label} was nearest after {moment.update:,.0f} updates, at {number(moment.distance)}"
    if moment.advice == "roll back":
        kept = "Save a checkpoint there" if is_loop else "gansearch train keeps the generator of that moment"
        return f"{nearest}; it ended at {number(moment.last_distance)}. {kept}."
    if moment.advice == "go on":
        return f"{label} ended at {number(moment.last_distance)} and was still improving: try more training.updates."
    ended = f"it ended at {number(moment.last_distance)}"
    return f"{label} has not come clearly nearer since update {moment.since:,.0f}; {ended}."


def what_helps(verdict: str) -> Answer:
    """What usually helps against a verdict: one configuration does not tell what another would bring."""
    why = "One configuration does not tell by how much: gansearch sweep does."
    usual = ADVICE.get(verdict, "")
    return Answer("answer-change", CHANGE, usual or "Not known", why, partial(_nothing, why))


def which_change(found: list[Change], of: str) -> Answer:
    """The one change of some settings that is expected to bring most, and the next two."""
    if not found:
        text = f"No single change of the {of} is expected to bring {LEAST:.0%}; too few trials, or none is near them."
        return Answer("answer-change", CHANGE, "None stands out", text, partial(figures.changes, found))
    first = found[0]
    low, high = first.interval
    text = (
        f"From the {of}: {_changed(first)}. Expected: distance × {first.ratio:.2f}, in nine of ten tries {low:.2f} to "
        f"{high:.2f} (medians of {SEEDS} seeds)."
    )
    if len(found) > 1:
        text += " Next: " + "; ".join(f"{_changed(one)} (× {one.ratio:.2f})" for one in found[1:]) + "."
    return Answer("answer-change", CHANGE, _changed(first), text, partial(figures.changes, found))


def _changed(change: Change) -> str:
    return f"{change.name} {number(change.before)} → {number(change.after)}"


def holds(groups: list[Seeds], confirmed: bool) -> Answer:
    """On how many seeds the first of some configurations is healthy, beside the last one, the default settings."""
    group = groups[0]
    text = f"{group.label.capitalize()}: distance {number(group.distance)}"
    if group.interval:
        text += f", {number(group.interval[0])} to {number(group.interval[1])} for the median of ten new seeds"
    others = [one for one in groups[1:] if one.label.startswith("default settings")]
    text += "."
    if others:
        seeds = f"{others[0].healthy} of {len(others[0].seeds)} {others[0].healthy_word}"
        text += f" Default settings: {seeds}, {number(others[0].distance)}."
    if not confirmed:
        text += " These are the seeds by which it was chosen, so expect less."
    kind = "fresh seeds" if confirmed else "seeds of the search"
    short = f"{group.healthy} of {len(group.seeds)} {kind}"
    return Answer("answer-seeds", HOLDS, short, text, partial(figures.seeds, [group, *others]))


def memorises(curves: pd.DataFrame) -> Answer:
    """Whether D scores the reals that it was trained on above held-out ones, over the second half of a run."""
    gaps = curves[np.isfinite(curves["held_out_gap"].astype(float))].groupby("update")["held_out_gap"].median()
    if gaps.empty:
        text = "D’s scores of training reals were not recorded beside those of held-out ones."
        return Answer("answer-memory", MEMORY, "Not recorded", text, partial(_nothing, text))
    late = float(gaps[gaps.index >= gaps.index[-1] / 2].mean())
    above = f"Over the second half D scores training reals above held-out ones {50 + 50 * late:.0f}% of the time"
    if late > MEMORISES:
        short, text = "Yes", f"{above}. More data, r1_gamma, instance_noise or augment: ada help."
    else:
        short, text = "No", f"{above}; 50% is none, from {50 + 50 * MEMORISES:.0f}% on it memorises."
    adapted = curves["r_t"].dropna()
    if len(adapted):
        text += f" ADA’s r_t ended at {adapted.iloc[-1]:.2f}."
    return Answer("answer-memory", MEMORY, short, text, partial(figures.memory, gaps))


def band_for(study: Plots, loss: str) -> Band:
    """The band of the sweep's own balanced trials with the same loss, or the shipped one where there are few."""
    balanced = study.trials[(study.trials["verdict"] == "balanced") & (study.trials["status"] == "complete")]
    if "loss" in balanced and loss:
        balanced = balanced[balanced["loss"] == loss]
    some = balanced.tail(_MOST_HEALTHY)
    before = dict(zip(some["number"], some["pretrain_steps"].fillna(0), strict=True))
    curves = study.curves[study.curves["number"].isin(before.keys())]
    updates = study.experiment.training.updates
    runs = [run_of(part, before[number], updates) for (number, _), part in curves.groupby(["number", "seed"])]
    return band_of([run for run in runs if len(run["share"])], "balanced runs of this sweep") or shipped_band(loss)


def run_of(curves: pd.DataFrame, pretrain_steps: float, updates: int) -> dict[str, np.ndarray]:
    """One run as a band takes it: medians over its seeds, after pretraining; `updates` are its budget."""
    medians = curves[curves["update"] > pretrain_steps].groupby("update")[list(MEASURES)].median()
    share = (medians.index.to_numpy(dtype=float) - pretrain_steps) / max(1.0, updates - pretrain_steps)
    return {"share": share, **{name: medians[name].to_numpy(dtype=float) for name in MEASURES}}


def _pretraining(study: Plots, trial: int) -> float:
    steps = study.trials.loc[study.trials["number"] == trial, "pretrain_steps"].iloc[0]
    return float(steps) if np.isfinite(steps) else 0.0


def _label(trial: int, default: int | None) -> str:
    return "Default settings" if trial == default else f"Trial {trial}"


def _nothing(why: str) -> NoReturn:
    raise EmptyFigureError(why)
