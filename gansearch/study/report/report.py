"""The report of a study: one page with everything in it, made from the results folder."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from gansearch.experiment import Choices, Range
from gansearch.formatting import error_line, many
from gansearch.stability.verdict import ADVICE, HEALTHY, MEANING
from gansearch.store.confirmation import read_default
from gansearch.store.folder import as_typed
from gansearch.store.object_store import is_copy
from gansearch.store.record import BALANCE, GPU
from gansearch.store.samples import read_inputs, read_real
from gansearch.store.trial_files import read_record
from gansearch.study.analysis.neighbourhood import neighbourhoods
from gansearch.study.analysis.time_spent import saved, seconds_by_status
from gansearch.study.plots import Plots
from gansearch.study.report.answers import Answer, answers_of
from gansearch.study.report.details import details_of
from gansearch.study.report.page import Charts, render
from gansearch.study.report.samples import OverTime, Samples, beside_reals, over_time, samples_of

NEAREST = {"half": 0.5, "tenth": 0.1, "100": 100, "30": 30, "10": 10}
"""Shares and numbers of the trials, the nearest ones, that the parallel coordinates may be confined to."""
_MAX_ROWS = 1000
"""Rows of the trials table."""
_MAX_ERRORS = 50
"""Different errors that are listed."""
_MAX_NUMBERS = 20
"""Trials named for each error."""


@dataclass(frozen=True)
class Reason:
    """A verdict other than balanced, with a typical trial."""

    verdict: str
    count: int
    meaning: str
    number: int
    """The typical trial."""
    sentence: str
    """What happened in the typical trial; empty where its record is missing."""
    advice: str
    samples: Samples | None


@dataclass(frozen=True)
class Failure:
    """An error with which one or more trials failed."""

    line: str
    """The last line of the error, the same for all of them."""
    numbers: str
    """The trials, of many the first ones."""
    count: int
    text: str
    """The whole error of the first trial; empty where it is no more than the line."""
    where: str
    """The first trial and its node."""


def report(study: Plots) -> str:
    """Return the HTML of the page. Raises StudyError where the tables cannot be read."""
    choice = study.choice
    verdict = study.verdict_of(choice) if choice else None
    verdict_reasons = reasons(study)
    folder = shlex.quote(str(as_typed(study.folder.path)))
    answers = answers_of(study)
    rows = _rows(study)
    return render(
        "report.html",
        charts_of(study, verdict_reasons, answers),
        answers=answers,
        study=study,
        summary=study.summary(),
        choice=choice,
        choice_verdict=verdict,
        group=study.groups[0] if choice else None,
        advice=ADVICE.get(verdict or "", ""),
        export=f"gansearch export {folder}" + ("" if study.best else " --anyway") + " -o best.yaml",
        unequal=_unequal_evidence(study),
        try_default=_default_command(study, folder),
        samples=beside_reals(study),
        moments=_moments(study),
        pairs=study.map_pairs,
        reasons=verdict_reasons,
        around=choice and (choice.neighbourhood or neighbourhoods(study.trials, [choice.number])[choice.number]),
        saved=saved(study.trials, study.experiment),
        seconds=seconds_by_status(study.trials, [*study.confirmation, *read_default(study.folder)]),
        columns=_columns(study),
        rows=rows,
        listed={row["number"] for row in rows},
        details=details_of(study, [row["number"] for row in rows]),
        errors=failures(study),
        nearest=list(NEAREST),
        most_errors=_MAX_ERRORS,
        counts=_counts(study),
        experiment=study.experiment.to_yaml(),
    )


def _moments(study: Plots) -> OverTime | None:
    """Return the samples of the chosen trial's first fresh seed at several moments, if there are any."""
    if study.choice is None:
        return None
    folder, number = study.folder, study.choice.number
    return over_time(f"trial {number}", folder.record(number), read_real(folder), read_inputs(folder))


def charts_of(study: Plots, verdict_reasons: Sequence[Reason], answers: Sequence[Answer]) -> Charts:
    """Return the charts of the page by the id of their element; maps of further pairs are chosen by the reader."""
    pairs = enumerate(study.map_pairs[1:], start=1)
    nearest = {name: part for name, part in NEAREST.items() if part < len(study.trials)}
    return Charts(
        {
            **{one.id: one.draw for one in answers},
            "map": study.plot_stability_map,
            **{f"map-{place}": partial(study.plot_stability_map, x, y) for place, (x, y) in pairs},
            **{f"curves-{one.verdict}": partial(study.plot_curves, one.number) for one in verdict_reasons},
            "pareto": study.plot_pareto,
            "shares": study.plot_importance,
            "slices-stability": study.plot_slices,
            "slices-distance": partial(study.plot_slices, "distance"),
            "parallel": study.plot_parallel,
            **{f"parallel-{name}": partial(study.plot_parallel, part) for name, part in nearest.items()},
            "bands": study.plot_bands,
            **{f"bands-{place}": partial(study.plot_bands, by) for place, by in enumerate([*study.groupings][1:], 1)},
            "seeds": study.plot_seeds,
            "neighbourhood": study.plot_neighbourhood,
            "curves": study.plot_curves,
            "timeline": study.plot_timeline,
        }
    )


def reasons(study: Plots) -> list[Reason]:
    """Return every unhealthy verdict, the most frequent first, with its trial of median stability."""
    trials = study.trials
    counts = {verdict: count for verdict, count in study.verdicts.items() if verdict not in HEALTHY}
    typical: dict[str, int] = {}
    for verdict in sorted(counts, key=lambda verdict: -counts[verdict]):
        numbers = trials[trials["verdict"] == verdict].sort_values("stability")["number"]
        typical[verdict] = int(numbers.iloc[(len(numbers) - 1) // 2])
    samples = {one.number: one for one in samples_of(study, list(typical.values()))}
    return [
        Reason(
            verdict,
            counts[verdict],
            MEANING[verdict],
            number,
            _sentence(study, number, verdict),
            ADVICE[verdict],
            samples.get(number),
        )
        for verdict, number in typical.items()
    ]


def _sentence(study: Plots, number: int, verdict: str) -> str:
    """Return the sentence of a seed of the trial that has this verdict."""
    record = read_record(study.folder, number)
    return record.sentence(verdict) if record else ""


def _default_command(study: Plots, folder: str) -> str:
    """Return the command that trains the default settings on fresh seeds, for as long as a confirmation.

    It is empty for a user's loop whose parameters have no default values, and for results at a URL.
    """
    if study.experiment.without_value or is_copy(study.folder.path):
        return ""
    longer = study.experiment.confirm and study.experiment.confirm.updates
    budget = f" --set training.updates={longer}" if longer else ""
    return f"gansearch train {folder}/experiment.yaml --seeds 5 --json{budget} > {folder}/{study.folder.default.name}"


def _columns(study: Plots) -> list[str]:
    """Return the columns of the trials table: how each trial ended, what was searched, what it cost."""
    searched = [name for name, entry in study.experiment.search.items() if isinstance(entry, Range | Choices)]
    balance = () if study.experiment.is_loop else (name for name in BALANCE if name not in ("lr_d", "lr_g"))
    names = dict.fromkeys([*balance, *searched])
    measured = [name for name in GPU if study.trials[name].notna().any()]
    return ["number", "status", "verdict", "stability", "distance", *names, "updates", "train_seconds", *measured]


def _rows(study: Plots) -> list[dict[Any, Any]]:
    """Return the first rows of the trials table: the healthy ones, then the others, each by stability."""
    trials = study.trials.assign(unhealthy=~study.trials["verdict"].isin(HEALTHY))
    order = trials.sort_values(["unhealthy", "stability"], ascending=[True, False])
    rows = order[_columns(study)].head(_MAX_ROWS).astype(object)
    return rows.where(rows.notna(), None).to_dict("records")


def failures(study: Plots) -> list[Failure]:
    """Return the errors of the trials, the same ones together, in the order in which they occurred."""
    errors = study.trials["error"].fillna("").astype(str)
    failed = study.trials[(study.trials["status"] == "failed") | (errors != "")]
    found = []
    for line, group in failed.groupby(errors[failed.index].map(error_line), sort=False):
        numbers = ", ".join(map(str, group["number"].head(_MAX_NUMBERS))) + (" …" if len(group) > _MAX_NUMBERS else "")
        first = group.iloc[0]
        text = errors[group.index[0]].strip()
        where = f"Trial {first['number']}" + (f" on {first['node']}" if first["node"] else "")
        found.append(Failure(str(line), numbers, len(group), text if text != line else "", where))
    return found


def _unequal_evidence(study: Plots) -> str:
    """Return a warning where the default settings have fresh seeds, and the choice those that it was chosen by."""
    if not study.groups or not study.default or study.groups[0].fresh or not study.default.fresh:
        return ""
    chosen, default = study.groups[0], study.default
    return (
        f"The evidence is unequal: trial {chosen.number} was chosen by its {many(len(chosen.seeds), 'seed')} of the "
        f"search, which favours lucky ones; the default settings have {many(len(default.seeds), 'fresh seed')}."
    )


def _counts(study: Plots) -> dict[str, int]:
    """Return the number of trials by verdict, balanced first, and last the trials without one."""
    unnamed = len(study.trials) - sum(study.verdicts.values())
    return dict(reversed(study.verdicts.items())) | ({"no_verdict": unnamed} if unnamed else {})
