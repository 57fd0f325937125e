import numpy as np
import pytest

from gansearch.diagnosis.rules.balance import dominates, saturated
from gansearch.diagnosis.rules.shares import certain, percent
from tests.diagnosis.logs import evidence_of


def logits(seed):
    """Lines of 64 logits of reals and of fakes each, of a D of any strength."""
    draw = np.random.default_rng(seed)
    spread, centres = draw.exponential(2), draw.normal(0, 6, 2)
    return [centre + spread * draw.normal(size=(100, 64)) for centre in centres]


@pytest.mark.parametrize("seed", range(40))
def test_no_share_is_under_its_bound(seed):
    real, fake = logits(seed)
    columns = {"score_real": real.mean(1), "score_fake": fake.mean(1)}
    columns |= {"score_real_std": real.std(1), "score_fake_std": fake.std(1)}
    columns |= {"p_real": (1 / (1 + np.exp(-real))).mean(1), "p_fake": (1 / (1 + np.exp(-fake))).mean(1)}
    late_real, late_fake = real[50:], fake[50:]
    right = ((late_real > 2.9445).mean() + (late_fake < -2.9445).mean()) / 2
    wrong = ((late_real < -2.9445).mean() + (late_fake > 2.9445).mean()) / 2
    shares = list(certain(evidence_of(**columns)))
    assert len(shares) == 2
    for one in shares:
        assert one.right <= right + 1e-9
        assert one.wrong <= wrong + 1e-9


def test_logits_that_are_far_apart_prove_it():
    ones = np.ones(200)
    columns = {"score_real": 9 * ones, "score_fake": -8 * ones, "score_real_std": ones, "score_fake_std": ones}
    (found,) = saturated(evidence_of(**columns))
    assert (found.kind, found.grade) == ("discriminator_saturated", "proven")
    assert "Cantelli" in found.text
    columns |= {"score_real": -9 * ones, "score_fake": 8 * ones}
    assert [one.kind for one in dominates(evidence_of(**columns))] == ["generator_dominates"]
    assert list(certain(evidence_of(loss="hinge", halves="sum", **columns))) == [], "scores of a hinge are no logits"


def test_shares_are_rounded_down():
    assert percent(0.99999) == "99.9%"
    assert percent(0.8) == "80.0%"
