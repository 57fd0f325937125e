"""The report of a study: one page with everything in it, made from the results folder alone."""

from __future__ import annotations

import math
import shlex
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from gansearch.experiment import Choices, Range
from gansearch.formatting import error_line, many
from gansearch.rendering.render import Shown, show
from gansearch.stability.verdict import ADVICE, MEANING
from gansearch.store.confirmation import read_default
from gansearch.store.folder import as_typed
from gansearch.store.record import BALANCE
from gansearch.store.samples import Kept, read_kept, read_real
from gansearch.store.trial_files import read_record
from gansearch.study.analysis.choose import candidates
from gansearch.study.analysis.neighbourhood import neighbourhoods
from gansearch.study.analysis.time_spent import saved, seconds_by_status
from gansearch.study.report.page import Charts, fragment, render
from gansearch.study.study import Study

_SHOWN = 4
"""Trials whose samples are shown side by side; one fewer where held-out reals stand beside them."""
_ROWS = 1000
"""Rows of the trials table at most."""
_ERRORS = 50
"""Different errors shown at most."""
_NUMBERS = 20
"""Trials named at most that left the same error."""


@dataclass(frozen=True)
class Reason:
    """A verdict other than balanced, with a trial that is typical of it."""

    verdict: str
    count: int
    meaning: str
    number: int
    """Of the typical trial."""
    sentence: str
    """What happened there; empty where its record is gone."""
    advice: str
    samples: Samples | None


@dataclass(frozen=True)
class Error:
    """What some trials failed with."""

    line: str
    """The same in all of them."""
    numbers: str
    """Of the trials, the first ones where there are many."""
    count: int
    text: str
    """The whole of the first one's; empty where it is no more than the line."""
    where: str
    """The first one and its node."""


@dataclass(frozen=True)
class Samples:
    """A configuration's samples and the numbers of the run that left them, or the held-out reals."""

    label: str
    shown: Shown
    number: int | None = None
    """Of its trial; None for reals, and for default settings that are none."""
    verdict: str = ""
    """Empty for reals."""
    stability: float = math.nan
    distance: float = math.nan


@dataclass(frozen=True)
class Gallery:
    """The samples of the report, in a notebook."""

    samples: list[Samples]

    def _repr_html_(self) -> str:
        return fragment("gallery.html", samples=self.samples)


def gallery(study: Study) -> Gallery:
    """Real samples, and those of the trials that the report shows."""
    return Gallery(_beside_reals(study))


def report(study: Study) -> str:
    """The page's text. Raises StudyError where the tables cannot be read."""
    choice = study.best or study.closest
    verdict = study.verdict_of(choice) if choice else None
    bad = reasons(study)
    folder = shlex.quote(str(as_typed(study.folder.path)))
    return render(
        "report.html",
        _charts(study, bad),
        study=study,
        summary=study.summary(),
        choice=choice,
        choice_verdict=verdict,
        group=study.groups[0] if choice else None,
        advice=ADVICE.get(verdict or "", ""),
        export=f"gansearch export {folder}" + ("" if study.best else " --anyway") + " -o best.yaml",
        unequal=_unequal(study),
        try_default=_try_default(study, folder),
        samples=_beside_reals(study),
        pairs=study.map_pairs,
        reasons=bad,
        around=neighbourhoods(study.trials, [choice.number])[choice.number] if choice else None,
        saved=saved(study.trials, study.experiment),
        seconds=seconds_by_status(study.trials, [*study.confirmation, *read_default(study.folder)]),
        columns=_columns(study),
        rows=_rows(study),
        errors=_errors(study),
        most_errors=_ERRORS,
        counts=_best_first(study),
        experiment=study.experiment.to_yaml(),
    )


def shown(study: Study) -> list[int | None]:
    """Whose samples are shown: the choice, the default settings, the other candidates, then the most stable."""
    choice, trials = study.best or study.closest, study.trials
    ended = trials[trials["status"] == "complete"].sort_values("stability", ascending=False)
    order = [
        *([choice.number] if choice else []),
        *([study.default.number] if study.default else []),
        *(seed.number for seed in study.confirmation),
        *candidates(trials, _SHOWN),
        *ended["number"].head(_SHOWN),
    ]
    known = {None, *trials["number"]}
    return [number if number is None else int(number) for number in dict.fromkeys(order) if number in known][:_SHOWN]


def reasons(study: Study) -> list[Reason]:
    """Every verdict but balanced, the most frequent first, with its trial of median stability."""
    trials = study.trials
    counts = {verdict: count for verdict, count in study.verdicts.items() if verdict != "balanced"}
    typical: dict[str, int] = {}
    for verdict in sorted(counts, key=lambda verdict: -counts[verdict]):
        alike = trials[trials["verdict"] == verdict].sort_values("stability")
        typical[verdict] = int(alike["number"].iloc[(len(alike) - 1) // 2])
    kept = {one.number: one for one in _samples(study, list(typical.values()))[1]}
    return [
        Reason(
            verdict,
            counts[verdict],
            MEANING[verdict],
            number,
            _sentence(study, number, verdict),
            ADVICE[verdict],
            kept.get(number),
        )
        for verdict, number in typical.items()
    ]


def _charts(study: Study, bad: Sequence[Reason]) -> Charts:
    charts = Charts()
    charts.draw("map", study.plot_stability_map)
    for place, (x, y) in enumerate(study.map_pairs[1:], start=1):
        charts.draw(f"map-{place}", partial(study.plot_stability_map, x, y))
    for reason in bad:
        charts.draw(f"curves-{reason.verdict}", partial(study.plot_curves, reason.number))
    charts.draw("pareto", study.plot_pareto)
    charts.draw("shares", study.plot_importance)
    charts.draw("slices-stability", study.plot_slices)
    charts.draw("slices-distance", partial(study.plot_slices, "distance"))
    charts.draw("parallel", study.plot_parallel)
    charts.draw("seeds", study.plot_seeds)
    charts.draw("neighbourhood", study.plot_neighbourhood)
    charts.draw("curves", study.plot_curves)
    charts.draw("timeline", study.plot_timeline)
    return charts


def _beside_reals(study: Study) -> list[Samples]:
    """The held-out reals, where they were kept, and then the samples of the configurations that are shown."""
    real, found = _samples(study, shown(study))
    return [*real, *found][:_SHOWN] if found else []


def _samples(study: Study, numbers: Sequence[int | None]) -> tuple[list[Samples], list[Samples]]:
    """The reals, one at most, and the samples of those configurations that kept some; points are all on one scale."""
    rows: dict[Any, dict[Any, Any]] = study.trials.set_index("number").to_dict("index")
    fresh = {one.number: one.seeds[0] for one in study.groups if one.fresh}
    kept: list[tuple[int | None, Kept, Mapping[str, Any]]] = []
    for number in numbers:
        samples = read_kept(study.folder, number, confirmed=True) if number in fresh else None
        if samples is not None:  # all of these on one and the same seed
            kept.append((number, samples, asdict(fresh[number])))
        elif number is not None and (samples := read_kept(study.folder, number)) is not None:
            kept.append((number, samples, rows[number]))
    real = read_real(study.folder)
    default = study.default.number if study.default else None
    found = []
    for (number, _, run), pictured in zip(kept, show([samples for _, samples, _ in kept], real), strict=True):
        label = "default settings" if number is None else f"trial {number}"
        label += ", default settings" if number is not None and number == default else ""
        facts = str(run["verdict"]), float(run["stability"]), float(run["distance"])
        found.append(Samples(label, pictured, number, *facts))
    reals = [Samples("real, held out", pictured) for pictured in show([real], real)] if real else []
    return reals, found


def _sentence(study: Study, number: int, verdict: str) -> str:
    """What a seed of a trial that got this verdict says of it."""
    record = read_record(study.folder, number)
    sentences = [seed.sentence for seed in (record.seeds if record else ()) if seed.verdict == verdict]
    return next(filter(None, sentences), "")


def _try_default(study: Study, folder: str) -> str:
    """The command that tries the default settings on fresh seeds, for as long as the confirmation took; empty where a
    loop of the user's own has none."""
    if study.experiment.without_value:
        return ""
    longer = study.experiment.confirm and study.experiment.confirm.updates
    budget = f" --set training.updates={longer}" if longer else ""
    return f"gansearch train {folder}/experiment.yaml --seeds 5 --json{budget} > {folder}/{study.folder.default.name}"


def _columns(study: Study) -> list[str]:
    """The columns of the trials table: how each ended, what was searched, what it cost."""
    searched = [name for name, entry in study.experiment.search.items() if isinstance(entry, Range | Choices)]
    balance = () if study.experiment.is_loop else (name for name in BALANCE if name not in ("lr_d", "lr_g"))
    names = [*dict.fromkeys([*balance, *searched])]
    return ["number", "status", "verdict", "stability", "distance", *names, "updates", "train_seconds"]


def _rows(study: Study) -> list[dict[str, Any]]:
    """The best rows first: healthy before not, then by stability."""
    trials = study.trials
    order = trials.assign(_bad=trials["verdict"] != "balanced").sort_values(
        ["_bad", "stability"], ascending=[True, False]
    )
    names = [name for name in _columns(study) if name in trials]
    rows = order[names].head(_ROWS).astype(object).to_dict("records")
    return [{str(key): None if _is_nan(value) else value for key, value in row.items()} for row in rows]


def _errors(study: Study) -> list[Error]:
    """The errors that trials left, the same ones together, in the order in which they came."""
    trials = study.trials
    failed = trials[(trials["status"] == "failed") | (trials["error"].fillna("") != "")]
    alike: dict[str, list[dict[Hashable, Any]]] = {}
    for row in failed.to_dict("records"):
        alike.setdefault(error_line(str(row["error"] or "")), []).append(row)
    found = []
    for line, rows in alike.items():
        text, first = str(rows[0]["error"] or "").strip(), rows[0]
        numbers = ", ".join(str(row["number"]) for row in rows[:_NUMBERS]) + (" …" if len(rows) > _NUMBERS else "")
        where = f"Trial {first['number']} on {first['node']}"
        found.append(Error(line, numbers, len(rows), text if text != line else "", where))
    return found


def _unequal(study: Study) -> str:
    """A sentence where the default settings stand on fresh seeds, and the choice on those that it was chosen by."""
    if not study.groups or not study.default or study.groups[0].fresh or not study.default.fresh:
        return ""
    chosen, usual = study.groups[0], study.default
    return (
        f"The evidence is unequal: trial {chosen.number} was chosen by its {many(len(chosen.seeds), 'seed')} of the "
        "search, which favours the lucky; "
        f"the default settings stand on {many(len(usual.seeds), 'fresh seed')}."
    )


def _best_first(study: Study) -> dict[str, int]:
    """Trials by verdict, balanced first, and in the end those that died before they had one."""
    unnamed = len(study.trials) - sum(study.verdicts.values())
    return dict(reversed(study.verdicts.items())) | ({"no_verdict": unnamed} if unnamed else {})


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
