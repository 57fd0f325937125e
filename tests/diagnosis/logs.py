"""Logs that are built by hand, for the tests of rules and pages."""

import numpy as np

from gansearch.diagnosis.rules.evidence import Evidence
from gansearch.diagnosis.training_log import Game, TrainingLog

DCGAN = {"d_loss": "Loss_D", "g_loss": "Loss_G", "p_real": "D(x)", "p_fake": "D(G(z))", "penalty": "GP"}


def game_of(loss="bce", halves="sum", name="", source="--loss", **columns):
    """A game whose columns are given by role; a NaN counts as printed."""
    values = {role: np.asarray(column, float) for role, column in columns.items()}
    printed = {role: np.ones(len(column), bool) for role, column in values.items()}
    names = {role: DCGAN.get(role, role) for role in values}
    return Game(name, names, values, printed, loss, halves, source)


def log_of(*games, metrics=None, file="train.log", **columns):
    """A log of one game by its columns, or of the given ones; ten steps a line, the first line is 2."""
    games = games or (game_of(**columns),) if columns or games else ()
    numbers = [*metrics.values()] if metrics else []
    count = len(next(iter(games[0].values.values()))) if games else len(numbers[0])
    return TrainingLog(
        file=file,
        format="lines of pytorch/examples dcgan",
        steps=np.arange(count) * 10.0,
        lines=np.arange(count) + 2,
        games=tuple(games),
        metrics={name: np.asarray(values, float) for name, values in (metrics or {}).items()},
    )


def evidence_of(**columns):
    """The evidence of a log of one game."""
    log = log_of(**columns)
    return Evidence(log, log.games[0])


def noisy(mean, count=200, spread=0.02, seed=0):
    """A column that is positive and about `mean`, a number or an array."""
    return np.abs(mean + spread * np.random.default_rng(seed).normal(size=count))
