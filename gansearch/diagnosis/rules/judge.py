"""All rules over a log, in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from gansearch.diagnosis.rules import balance, breakage, columns, critic, learning, memory, metrics
from gansearch.diagnosis.rules.advice import advice
from gansearch.diagnosis.rules.evidence import SHORT, Evidence
from gansearch.diagnosis.rules.finding import KINDS, Finding, Unknown
from gansearch.diagnosis.training_log import TrainingLog

Rule = Callable[[Evidence], Iterator[Finding | Unknown]]

RULES: tuple[Rule, ...] = (
    learning.not_training,
    critic.runaway,
    critic.flat,
    balance.saturated,
    balance.dominates,
    balance.oscillating,
    memory.memorising,
)
"""The rules of a game whose columns do not contradict each other."""
SILENCING = ("not_started", "idle", "not_training")
"""Kinds after which the balance of the two networks is not judged: one of them does not take part."""
OF_BALANCE = ("discriminator_saturated", "generator_dominates", "oscillating", "idle")


def judge(log: TrainingLog) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """(findings, what cannot be judged and why) of a log; what is wrong first, and worst first."""
    findings, unknown = [], []
    for game in log.games:
        for found in _judge_game(Evidence(log, game)):
            if isinstance(found, Unknown):
                unknown.append(f"{game.name}: {found.text}" if game.name else found.text)
            else:
                findings.append(dataclasses.replace(found, game=game.name, advice=advice(found, game)))
    if not log.games:
        unknown.append("No column is of a discriminator or a generator: only what the metrics did can be said.")
    findings += [
        dataclasses.replace(found, advice=advice(found, None)) for found in (*metrics.broken(log), *metrics.trend(log))
    ]
    order = [*KINDS]
    findings.sort(key=lambda found: (not found.is_verdict, order.index(found.kind)))
    return tuple(findings), tuple(dict.fromkeys(unknown))


def _judge_game(evidence: Evidence) -> Iterator[Finding | Unknown]:
    """The findings of one game. A kind is found once; where one network does not take part no balance is judged."""
    first: list[Finding] = [*breakage.diverged(evidence), *breakage.frozen(evidence), *learning.nothing_said(evidence)]
    kinds = {found.kind for found in first}
    yield from first
    if "frozen" in kinds and evidence.game.loss is None:
        evidence = evidence.of_loss("bce")  # no other loss has such an end
    for wrong in columns.contradiction(evidence) if not kinds & {"not_started", "idle"} else ():
        if evidence.game.loss_source.startswith("the values") and not evidence.answers:
            evidence = evidence.of_loss(None)  # what the values suggested they also speak against
            break
        evidence = evidence.distrusted()
        kinds.add(wrong.kind)
        yield wrong
        yield Unknown(
            f"As columns contradict each other, nothing is concluded from the size of {evidence.d_name}: neither who "
            "is ahead nor whether it swings."
        )
    if evidence.game.loss is None and any(columns.two_games(evidence)):
        evidence = evidence.distrusted()  # one has a weight, or other terms: its size says nothing
    for rule in RULES:
        for found in rule(evidence):
            if isinstance(found, Unknown):
                yield found
            elif found.kind not in kinds and not (found.kind in OF_BALANCE and kinds & {*SILENCING, *OF_BALANCE}):
                kinds.add(found.kind)
                yield found
    yield from _missing(evidence)


def _missing(evidence: Evidence) -> Iterator[Unknown]:
    """What the log lacks for its balance to be judged."""
    game = evidence.game
    if evidence.is_short and evidence.assumptions:
        yield Unknown(f"What is likely takes {SHORT} records, of which the log has {evidence.log.records}.")
    if evidence.d_loss is None:
        if "d_loss" in game.values:
            yield Unknown(f"{evidence.name('d_loss')} is never finite, so that who is ahead cannot be judged.")
        elif not evidence.answers:
            yield Unknown("No column is D's loss, so that who is ahead cannot be judged; name it by --columns.")
        return
    if game.loss == "wgan":
        yield Unknown(
            f"{evidence.d_name} is a critic's: it has no value at chance, so that only its growth and its penalty are "
            "judged, not who is ahead."
        )
    elif game.loss is None and evidence.is_critic:
        yield Unknown(
            f"{evidence.d_name} falls below 0, which BCE, hinge and LSGAN never do: say --loss wgan if D is a critic. "
            "Who is ahead cannot be judged."
        )
    elif game.loss is None:
        yield Unknown(
            f"The loss is not known, and {evidence.d_name} means different things by it: at chance it is 1.386 or .693 "
            "under BCE, 2 or 1 under hinge, .5 or .25 under LSGAN, as the sum or the mean of D's halves. Say --loss "
            "bce, hinge, lsgan or wgan."
        )
