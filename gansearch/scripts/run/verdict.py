"""The verdict that a script's own numbers allow, and why the rest is unknown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gansearch.diagnosis.diagnosis import Diagnosis
from gansearch.diagnosis.rules.evidence import Evidence
from gansearch.diagnosis.rules.finding import Finding
from gansearch.diagnosis.text import begin
from gansearch.diagnosis.training_log import Game
from gansearch.formatting import words
from gansearch.scripts.run.reading import Look
from gansearch.stability.report import StabilityReport, judge
from gansearch.stability.verdict import VERDICTS
from gansearch.stability.window import Window

OF_LOG = ("contradiction", "metric_broken")
"""Kinds of findings that are about the columns, and say nothing of the training."""
OF_LEVELS = ("discriminator_saturated", "generator_dominates")
"""Kinds that rest on how large D's loss is, which says nothing where the loss is unknown: it may hold a penalty."""
_VERDICTS = {
    "diverged": "diverged",
    "discriminator_saturated": "discriminator_saturated",
    "generator_dominates": "generator_dominates",
    "oscillating": "oscillating",
    "runaway": "discriminator_saturated",
    "memorising": "discriminator_saturated",
    "not_training": "uninformative",
    "not_started": "uninformative",
    "idle": "uninformative",
}
"""The verdict of each kind of finding; `frozen` has that of the network that won."""
_MONITOR = "The three lines of StabilityMonitor(path=…) in the script would show all of it."
_NOTHING = f"Unknown: the script writes no number of D or G, so that nothing of them can be known. {_MONITOR}"


@dataclass(frozen=True)
class Judgement:
    """How a script's training is judged."""

    verdict: str
    """One of VERDICTS; `unknown` where nothing is found, and the numbers are no D's raw scores."""
    sentence: str
    stability: float
    """Of a monitor's probes the score itself; of a log an estimate from means, which compares runs of one script. NaN
    where the numbers allow none."""
    report: StabilityReport | None = None
    """Of a monitor's probes."""
    verdicts: Mapping[str, str] | None = None
    """By monitor, where there are several."""

    @property
    def measured(self) -> dict[str, Any]:
        """The fields of a result that a monitor measures."""
        names = ("saturated_right", "saturated_wrong", "separability", "late_since")
        found = {} if self.report is None else {name: getattr(self.report, name) for name in names}
        return found | ({"verdicts": dict(self.verdicts)} if self.verdicts else {})


def judgement(look: Look) -> Judgement:
    """Judge what was read: by a monitor's probes where there are some, else by the rules of diagnose."""
    broken = not math.isnan(look.time) and bool(look.distances) and not math.isfinite(look.distance)
    if look.monitors:
        found = _of_monitors(look.monitors)
    elif look.diagnosis is None or not look.log or not look.log.games:
        found = Judgement("unknown", _NOTHING, math.nan)
    else:
        found = _of_log(look.diagnosis, look)
    if broken and found.verdict != "diverged":
        return replace(found, verdict="diverged", sentence="The distance is no finite number.", stability=0.0)
    return found


def _of_monitors(monitors: Mapping[str, Sequence[Window]]) -> Judgement:
    """The verdict of the worst discriminator, over the last half of its steps, as of a loop of the user's own."""
    reports = {name: judge(rows, int(rows[-1].step // 2)) for name, rows in monitors.items()}
    worst = min(reports, key=lambda name: (VERDICTS.index(reports[name].verdict), reports[name].stability))
    report, stability = reports[worst], min(one.stability for one in reports.values())
    verdicts = {name: one.verdict for name, one in reports.items()} if len(reports) > 1 else None
    several = ", ".join(f"{name} {verdict}" for name, verdict in (verdicts or {}).items())
    sentence = f"{several}. {worst}: {report.sentence}" if several else report.sentence
    return Judgement(report.verdict, sentence, stability, report, verdicts)


def _of_log(diagnosis: Diagnosis, look: Look) -> Judgement:
    has_levels = {game.name for game in diagnosis.log.games if game.loss or Evidence(diagnosis.log, game).answers}
    wrong = [
        one
        for one in diagnosis.findings
        if one.is_verdict and one.kind not in OF_LOG and (one.kind not in OF_LEVELS or one.game in has_levels)
    ]
    stability = _stability(diagnosis, look.game)
    if not wrong:
        return Judgement("unknown", _why_unknown(diagnosis, look), stability)
    first = min(wrong, key=lambda one: VERDICTS.index(verdict_of(one, look.game)))
    verdict = verdict_of(first, look.game)
    where = begin(first, diagnosis.log)
    sentence = f"{look.name} shows {words(first.kind)}, {first.grade}{where and f', {where}'}: {first.text}"
    others = ", ".join(words(one.kind) for one in wrong if one is not first)
    sentence += f" Also {others}." if others else ""
    return Judgement(verdict, f"{sentence} {first.advice}".strip(), 0.0 if verdict == "diverged" else stability / 2)


def verdict_of(finding: Finding, game: Game | None) -> str:
    """The verdict of a finding. Losses freeze where D is certain: right if G's loss is great, else wrong."""
    if finding.kind != "frozen":
        return _VERDICTS[finding.kind]
    losses = np.array([]) if game is None else game.values.get("g_loss", np.array([]))
    finite = losses[np.isfinite(losses)]
    return "generator_dominates" if len(finite) and finite[-1] < 1 else "discriminator_saturated"


def _stability(diagnosis: Diagnosis, game: Game | None) -> float:
    """1 − ½ · how far D's means are from those of a D that cannot tell, over the last half; NaN where that is unknown.

    With D(x) and D(G(z)) it is |D(x) − D(G(z))|, which bounds the total variation of D's decisions from below; else
    |1 − u|, u being D's loss over its value at chance, where the loss is known.
    """
    if game is None:
        return math.nan
    evidence = Evidence(diagnosis.log, game)
    if evidence.answers:
        away = abs(evidence.judged("p_real") - evidence.judged("p_fake"))
    elif len(evidence.assumptions) == 1:
        away = abs(1 - float(np.nanmean(evidence.u(evidence.assumptions[0])[evidence.half :])))
    else:
        return math.nan
    return 1 - 0.5 * min(1.0, away)


def _why_unknown(diagnosis: Diagnosis, look: Look) -> str:
    """What this log would have shown, and why the rest cannot be known; in one line."""
    game = look.game
    shown = ["divergence"]
    if game is not None and ("d_loss" in game.values or "g_loss" in game.values):
        shown += ["freezing", "oscillation"]
    if game is not None and (Evidence(diagnosis.log, game).answers or (game.loss and game.loss != "wgan")):
        shown += ["saturated D", "G that dominates"]
    why = diagnosis.unknown[0] if diagnosis.unknown else "Means do not show whether samples are good, or few."
    why = why.replace("--loss", "task.loss:").replace("--columns", "task.columns")
    return f"Unknown: {look.name} shows no {', no '.join(shown)}, and cannot show the rest. {why} {_MONITOR}"
