"""A diagnosis as text for a terminal or a forum."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from gansearch.diagnosis.facts import CANNOT_SHOW, MONITOR, NOTHING_WRONG, SEARCH, facts
from gansearch.diagnosis.rules.evidence import Evidence
from gansearch.diagnosis.rules.finding import KINDS, Finding
from gansearch.diagnosis.training_log import ROLES, Game, TrainingLog
from gansearch.formatting import many, step_text, words

WIDTH = 88
ALWAYS = ("d_loss", "d_loss_real", "d_loss_fake", "g_loss", "g_total", "p_real", "p_fake", "score_real", "score_fake")
"""Roles that are named in every answer; the others are where a finding needs them."""


def summary(log: TrainingLog, findings: Sequence[Finding], unknown: Sequence[str]) -> str:
    """The whole text."""
    parts = [_filled(heading(log))]
    parts.append("\n".join(_filled(line, "  ") for line in read_as(log)))
    wrong = [finding for finding in findings if finding.is_verdict]
    parts += [_finding(finding, log) for finding in wrong]
    if not wrong:
        certain = [fact for game in log.games for fact in facts(Evidence(log, game))]
        parts.append("\n".join([NOTHING_WRONG, *(_filled(fact, "  ") for fact in certain)]))
    notes = [finding for finding in findings if not finding.is_verdict]
    parts += ["\n".join(_filled(f"note: {title(note)}{note.text}", "  ") for note in notes)] if notes else []
    if unknown:
        parts.append("\n".join(["Not judged:", *(_filled(text, "  ") for text in unknown)]))
    parts.append("\n".join([_filled(CANNOT_SHOW), *(f"    {line}" for line in MONITOR), SEARCH]))
    return "\n\n".join(filter(None, parts))


def heading(log: TrainingLog) -> str:
    """What was read, in a sentence."""
    text = f"{log.file}: {many(log.records, 'record')}"
    if log.records:
        text += f", {log.step_name} {step_text(log.steps[0])} to {step_text(log.steps[-1])}"
    text += f", read as {log.format}." if log.format else "."
    return text + (f" The last of {log.runs} runs in it." if log.runs > 1 else "")


def read_as(log: TrainingLog) -> Iterator[str]:
    """What each column was taken for, and what was left out."""
    for game in log.games:
        yield (f"{game.name}: " if game.name else "") + "; ".join(_roles(game)) + "."
        yield loss_of(game)
        taken = {one.halves for one in Evidence(log, game).possible}
        if game.halves and len(taken) == 1 and game.halves not in taken:
            yield f"By its other columns it cannot be, and is taken for the {taken.pop()} of D's halves."
    yield from log.notes


def loss_of(game: Game) -> str:
    """Which loss a game has, and how that is known."""
    if game.loss is None:
        return "Loss: not known."
    halves = f", D's loss the {game.halves} of its halves" if game.halves and game.loss != "wgan" else ""
    return f"Loss: {game.loss}{halves}" + (f" ({game.loss_source})." if game.loss_source else ".")


def title(finding: Finding) -> str:
    """The name of a finding's game as the start of a sentence."""
    return f"{finding.game}: " if finding.game else ""


def begin(finding: Finding, log: TrainingLog) -> str:
    """Since when a finding holds."""
    if finding.since is None:
        return ""
    line = f" (line {finding.line:,})" if finding.line is not None and log.step_name != "line" else ""
    return f"since {log.step_name} {step_text(finding.since)}{line}"


def _roles(game: Game) -> Iterator[str]:
    for role in ALWAYS:
        if role in game.columns:
            yield f"{game.columns[role]} = {ROLES[role].split(',')[0]}"


def _finding(finding: Finding, log: TrainingLog) -> str:
    head = f"{title(finding)}{words(finding.kind).upper()}, {finding.grade}, {begin(finding, log)}".rstrip(", ")
    lines = [_filled(f"{head}. {KINDS[finding.kind]}"), _filled(finding.text, "  ")]
    return "\n".join([*lines, *([_filled(f"Try: {finding.advice}", "  ")] if finding.advice else [])])


def _filled(text: str, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
