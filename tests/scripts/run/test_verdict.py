import math
from typing import Any

import pytest

from gansearch.diagnosis.reading import LogReader
from gansearch.scripts.run.reading import Look, as_rows
from gansearch.scripts.run.verdict import judgement

SATURATED = "step {i} Loss_D: 0.00{i:02} Loss_G: 9.1{i:03} D(x): 0.99{i:02} D(G(z)): 0.00{i:02} / 0.001"


def look(line: str, count: int = 60, **others: Any) -> Look:
    reader = LogReader("train.log", loss=others.pop("loss", None))
    reader.feed("".join(line.format(i=i) + "\n" for i in range(count)))
    return Look("train.log", as_rows(reader.log()), **others)


def test_a_log_in_which_nothing_is_wrong_is_unknown_and_healthy() -> None:
    found = judgement(look("step {i} d_loss 1.3{i:03} g_loss 0.7{i:03}"))
    assert found.verdict == "unknown"
    assert found.sentence.startswith("Unknown: train.log shows no divergence, no freezing, no oscillation, and cannot")
    assert "task.loss: bce, hinge, lsgan or wgan" in found.sentence
    assert "StabilityMonitor(path=…)" in found.sentence
    assert math.isnan(found.stability)


def test_a_known_loss_allows_an_estimate_of_its_distance_from_chance() -> None:
    near = judgement(look("step {i} d_real 0.6{i:03} d_fake 0.7{i:03} g_loss 0.7{i:03}", loss="bce"))
    far = judgement(look("step {i} d_real 0.3{i:03} d_fake 0.5{i:03} g_loss 1.7{i:03}", loss="bce"))
    assert 0.9 < near.stability <= 1
    assert far.stability < near.stability


@pytest.mark.parametrize(
    ("line", "verdict", "word"),
    [
        (SATURATED, "discriminator_saturated", "saturated"),
        ("step {i} d_loss: 0.0000 g_loss: 100.0000", "discriminator_saturated", "frozen"),
        ("step {i} d_loss: nan g_loss: 1.2{i:03}", "diverged", "diverged"),
    ],
)  # fmt: skip
def test_findings_have_the_verdict_that_they_mean(line: str, verdict: str, word: str) -> None:
    found = judgement(look(line, loss="bce"))
    assert found.verdict == verdict
    assert word in found.sentence
    assert "train.log shows" in found.sentence


def test_the_level_of_an_unknown_loss_says_nothing() -> None:
    line = "step {i} D_Loss 48.77{i:03} G_Loss 1.3{i:03}"
    assert judgement(look(line)).verdict == "unknown"
    assert judgement(look(line, loss="bce")).verdict == "generator_dominates"


def test_without_a_number_of_d_or_g_nothing_is_known() -> None:
    found = judgement(Look(distances=(3.0, 2.0), at=(1.0, 2.0)))
    assert (found.verdict, math.isnan(found.stability)) == ("unknown", True)
    assert "no number of D or G" in found.sentence


def test_a_distance_that_is_no_number_is_diverged() -> None:
    assert judgement(Look(distances=(3.0, math.nan), at=(1.0, 2.0))).verdict == "diverged"
