import pytest

from gansearch.diagnosis.rules.advice import ADVICE, advice
from gansearch.diagnosis.rules.finding import KINDS, Finding
from tests.diagnosis.logs import game_of, noisy


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_advice_without_gaps(kind):
    assert ADVICE.keys() == KINDS.keys()
    text = advice(Finding(kind, "likely", ""), game_of(d_loss=noisy(1.0)))
    assert "{" not in text
    assert bool(text) == (kind != "trend")


def test_advice_speaks_of_the_logs_own_columns():
    game = game_of(lr_d=noisy(1.0), lr_g=noisy(1.0))
    assert "Lower lr_d" in advice(Finding("discriminator_saturated", "proven", ""), game)
    assert "(lr_d, lr_g)" in advice(Finding("diverged", "proven", ""), game)
    assert advice(Finding("discriminator_saturated", "note", ""), game) == ""
