"""A table of numbers as a training log: steps, games, metrics, losses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gansearch.diagnosis.lines.pairs import BAR_STEP
from gansearch.diagnosis.numbers.errors import LogError, called, did_you_mean
from gansearch.diagnosis.numbers.fragments import left_out
from gansearch.diagnosis.numbers.names import TOTAL, Meaning, counter, meaning
from gansearch.diagnosis.numbers.records import Records
from gansearch.diagnosis.roles.formats import Format, format_of
from gansearch.diagnosis.roles.games import CORE, Columns, Draft, draft_games, settle
from gansearch.diagnosis.roles.losses import checked, known_halves, known_loss
from gansearch.diagnosis.roles.steps import Steps, order
from gansearch.diagnosis.training_log import ROLES, Game, Loss, TrainingLog

STEP_ROLES = ("step", "epoch")
"""Counters that a user may name beside the roles."""
JUDGED = CORE | frozenset(role for role in ROLES if role.startswith(("p_", "score_", "sign_", "accuracy_")))
"""Roles without any of which there is no GAN in a log."""


def assemble(
    file: str,
    records: Records,
    kind: str,
    notes: Sequence[str],
    columns: Mapping[str, str],
    loss: str | None,
    config: Mapping[str, Any],
    metric: str = "",
) -> TrainingLog:
    """The log of a table; `metric` names a column that is one of its metrics, whatever else it is.

    Raises:
        LogError: No column has a role, or one that a user named is not there.
    """
    given = checked(loss)
    names = records.names
    check_columns(columns, names)
    meanings = meanings_of(names, columns)
    wanted = column_named(metric, names)
    table = {name: records.column(name) for name in {*meanings, *filter(None, [wanted])}}
    judged = judged_of(meanings, names, table, len(records))
    if not judged.any() and wanted:
        judged |= table[wanted][1]
    if not judged.any():
        raise LogError(nothing(file, names))
    order_of, group = steps_of(records, judged, columns)
    of_g = {name for name, one in meanings.items() if one.role == "reconstruction" and name != wanted}
    values = all_regrouped(table, of_g, judged, group, len(order_of.steps))
    values = {name: pair for name, pair in values.items() if pair[1].any()}
    found = format_of(names, kind == "printed lines")
    drafts, more = draft_games({name: one for name, one in meanings.items() if name in values and one.role != "metric"})
    metrics = [name for name, one in meanings.items() if one.role == "metric" and name != wanted]
    metrics = [name for name in [*metrics, wanted or ""] if name in values]
    games = []
    for draft in drafts:
        more += settle(draft, values)
        games.append(game_of(draft, values, given, config, found))
    if BAR_STEP not in names:
        more += left_out(repeated(table, meanings, group), "followed by another of the same step", "record")
    if records.block > 1:
        more.append(f"The log is long: each record is the mean of {records.block} of its own.")
    lines = np.zeros(len(order_of.steps), np.int64)
    lines[group[group >= 0]] = records.lines()[group >= 0]
    return TrainingLog(
        file=file,
        format=f"{kind} of {found.name}" if found else kind,
        steps=order_of.steps,
        lines=lines,
        games=tuple(games),
        step_name=order_of.name,
        epochs=order_of.epochs,
        metrics={name: values[name][0] for name in metrics},
        broken_metrics=tuple(name for name in metrics if not np.isfinite(values[name][0][values[name][1]][-1])),
        config=dict(config),
        runs=order_of.runs,
        notes=(*notes, *order_of.notes, *more),
    )


def judged_of(meanings: Mapping[str, Meaning], names: Sequence[str], table: Columns, length: int) -> np.ndarray:
    """The (N,) records that are of a GAN: those with its losses or scores, or with metrics where there is no more."""
    metrics_alone = all(counter(name) or (name in meanings and meanings[name].role == "metric") for name in names)
    roles = {"metric"} if metrics_alone else JUDGED
    judged = np.zeros(length, bool)
    for name, one in meanings.items():
        if one.role in roles:
            judged |= table[name][1]
    return judged


def column_named(wanted: str, names: Sequence[str]) -> str | None:
    """The column that a user means: of that name, or of that name in other letters, or below a path; else None."""
    if not wanted or wanted in names:
        return wanted or None
    low = wanted.lower()
    alike = [name for name in names if name.lower() == low] or [
        name for name in names if re.split(r"[/ .]", name.lower())[-1] == low
    ]
    return alike[0] if len(alike) == 1 else None


def meanings_of(names: Sequence[str], columns: Mapping[str, str]) -> dict[str, Meaning]:
    """What each column is: as the user says, else by its name."""
    meanings = {name: one for name in names if not counter(name) and (one := meaning(name))}
    named = {name: role for role, name in columns.items() if role not in STEP_ROLES}
    if not named:
        return meanings
    games = {meanings[name].game for name in named if name in meanings}
    game = next(iter(games)) if len(games) == 1 else ""
    kept = {
        name: replace(one, game="")
        for name, one in meanings.items()
        if (one.game == game or one.role not in CORE) and one.role not in columns
    }
    return kept | {name: Meaning(role, "", -1) for name, role in named.items()}


def check_columns(columns: Mapping[str, str], names: Sequence[str]) -> None:
    """Refuse roles and columns that do not exist."""
    for role, name in columns.items():
        check_role(role)
        if name not in names:
            hint = did_you_mean(name, names) or f" There are {listed(names)}."
            raise LogError(f"columns: {role}: no column is called {name!r}.{hint}")


def check_role(role: str) -> None:
    """Refuse a role that does not exist."""
    if role not in ROLES and role not in STEP_ROLES:
        hint = did_you_mean(role, [*ROLES, *STEP_ROLES]) or f" Roles are {', '.join(ROLES)}."
        raise LogError(f"columns: there is no role {role!r}.{hint}")


def listed(names: Sequence[str]) -> str:
    """Up to ten names in a row."""
    shown = ", ".join(names[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown


def nothing(file: str, names: Sequence[str]) -> str:
    """A sentence on a log without columns of a GAN."""
    known = [name for name in names if not name.endswith(TOTAL)]
    return (
        f"{called(file)} has no column that is a loss or score of a discriminator or generator, only {listed(known)}:"
        " name them, as in --columns d_loss=NAME,g_loss=NAME."
    )


def steps_of(records: Records, judged: np.ndarray, columns: Mapping[str, str]) -> tuple[Steps, np.ndarray]:
    """The order of the records of a GAN, and for each record of the table its place in it, -1 for none.

    What stands on lines of its own, such as an FID, belongs to the record before it.
    """
    names = [name for name in records.names if counter(name)]
    wanted = [columns[role] for role in STEP_ROLES if role in columns]
    counters: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name in wanted or names:
        for one in (name, name + TOTAL):
            if one in records.names:
                values, printed = records.column(one, last=True)
                counters[one] = carried(values)[judged], printed[judged]
    counters = dict(sorted(counters.items(), key=lambda item: -int(item[1][1].sum())))
    found = order(counters, int(judged.sum()))
    before = np.maximum(np.cumsum(judged) - 1, 0)
    return found, found.group[before]


def carried(values: np.ndarray) -> np.ndarray:
    """Values with blanks filled by the last before."""
    at = np.where(np.isnan(values), 0, np.arange(len(values)))
    return values[np.maximum.accumulate(at)]


def repeated(table: Columns, meanings: Mapping[str, Meaning], group: np.ndarray) -> int:
    """How many losses were printed again for the same step."""
    counts = [0]
    for name, one in meanings.items():
        if one.role in CORE:
            places = group[table[name][1] & (group >= 0)]
            counts.append(len(places) - len(np.unique(places)))
    return max(counts)


def all_regrouped(
    table: Columns, of_g: set[str], judged: np.ndarray, group: np.ndarray, length: int
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """All columns by the places of their records.

    Of G's other losses what came before the first record of a GAN is left out: another training printed it, such as the
    error of a regression.
    """
    within = np.where(np.cumsum(judged) > 0, group, -1)
    return {name: regrouped(pair, within if name in of_g else group, length) for name, pair in table.items()}


def regrouped(pair: tuple[np.ndarray, np.ndarray], group: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """A column by the places of its records: the last that is printed counts."""
    values, printed = np.full(length, np.nan), np.zeros(length, bool)
    rows = np.flatnonzero(pair[1] & (group >= 0))
    values[group[rows]] = pair[0][rows]
    printed[group[rows]] = True
    return values, printed


def game_of(draft: Draft, table: Columns, given: Loss | None, config: Mapping[str, Any], kind: Format | None) -> Game:
    """A game with its loss, as far as it is known."""
    roles = {role: name for role, name in draft.roles.items() if role in ROLES}
    columns = dict(roles)
    values = {role: table[name][0] for role, name in roles.items()}
    printed = {role: table[name][1] for role, name in roles.items()}
    for role in ("accuracy", "accuracy_real", "accuracy_fake"):
        if role in values and np.nanmax(np.where(np.isfinite(values[role]), values[role], 0)) > 1:
            values[role] = values[role] / 100
    derived = "d_loss" not in values and {"d_loss_real", "d_loss_fake"} <= values.keys()
    if derived:
        columns["d_loss"] = f"{columns['d_loss_real']} + {columns['d_loss_fake']}"
        values["d_loss"] = values["d_loss_real"] + values["d_loss_fake"]
        printed["d_loss"] = printed["d_loss_real"] & printed["d_loss_fake"]
    if draft.terms:
        columns["reconstruction"] = " + ".join(draft.terms)
        values["reconstruction"] = np.sum([table[name][0] for name in draft.terms], axis=0)
        printed["reconstruction"] = np.all([table[name][1] for name in draft.terms], axis=0)
    loss, source = known_loss(values, columns, given, config, kind)
    return Game(draft.name, columns, values, printed, loss, known_halves(values, loss, kind, derived), source)
