import math

import pytest
import torch

from gansearch.stability import StabilityMonitor
from gansearch.stability.monitor import CAPACITY
from gansearch.stability.referee import Ruling


def monitored(real, fake, output="logit", **known):
    monitor = StabilityMonitor(output)
    monitor.update(real, fake)
    return monitor.report(**known)


def test_counts_are_exact_and_rows_bounded_however_long_the_run():
    monitor, expected, probes = StabilityMonitor(), 0, 5 * CAPACITY + 3
    draws = torch.Generator().manual_seed(0)
    for step in range(probes):
        scores = 4 * torch.randn(2, 7, generator=draws)
        expected += int((scores[0] > math.log(19)).sum() + (scores[1] < -math.log(19)).sum())
        monitor.update(scores[0], scores[1], step=step)
    rows = monitor.rows()
    assert len(rows) <= CAPACITY
    assert sum(row.real_high[1] + row.fake_low[1] for row in rows) == expected
    assert monitor.report().saturated_right == pytest.approx(expected / (probes * 14))


def test_the_words_for_what_can_go_wrong():
    near, far = torch.linspace(-1, 1, 100), torch.linspace(4, 9, 100)
    assert monitored(far, -far).verdict == "discriminator_saturated"
    assert monitored(-far, far).verdict == "generator_dominates"
    assert monitored(near, near).verdict == "uninformative"
    assert monitored(near + 0.4, near - 0.4).verdict == "balanced"
    assert monitored(near, near, ruling=Ruling(0.5, apart=0.05, diversity=1.0)).verdict == "balanced"
    assert monitored(near, near, ruling=Ruling(0.9, apart=0.05, diversity=1.0)).verdict == "uninformative"
    assert monitored(near, near, ruling=Ruling(0.9, apart=0.5, diversity=1.0)).verdict == "uninformative"
    assert monitored(near, near, ruling=Ruling(0.9, apart=0.5, diversity=0.1)).verdict == "collapsed"


def test_neither_side_of_the_score_is_good():
    near, far = torch.linspace(-1, 1, 100), torch.linspace(4, 9, 100)
    healthy = monitored(near + 0.4, near - 0.4, ruling=Ruling(0.9, apart=0.1, diversity=1.0)).stability
    useless = Ruling(1.0, apart=0.5, diversity=0.8)
    for real, fake in ((far, -far), (-far, far), (near, near)):
        assert healthy > 0.2 + monitored(real, fake, ruling=useless).stability
    assert monitored(near + 0.4, near - 0.4).stability > 0.1 + monitored(near, near).stability


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 2e4])
def test_scores_that_are_no_numbers_are_divergence_with_a_finite_score(bad):
    report = monitored(torch.tensor([0.1, bad]), torch.tensor([0.2, 0.3]))
    assert (report.verdict, report.stability) == ("diverged", 0.0)
    assert math.isfinite(report.separability)


def test_probabilities_are_logits_inside_and_counted_outside():
    logits = torch.linspace(-6, 6, 50)
    of_logits, of_probabilities = (
        monitored(logits, -logits),
        monitored(logits.sigmoid(), (-logits).sigmoid(), "probability"),
    )
    assert of_probabilities.saturated_right == of_logits.saturated_right
    assert monitored(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0]), "probability").verdict != "diverged"
    assert monitored(torch.tensor([1.2]), torch.tensor([0.2]), "probability").verdict == "diverged"


def test_a_critic_is_judged_on_the_half_that_did_not_calibrate_it():
    draws = torch.Generator().manual_seed(1)
    real, fake = torch.randn(400, generator=draws) * 50 + 900, torch.randn(400, generator=draws) * 50 + 100
    report = monitored(real, fake, "score")
    assert report.verdict == "discriminator_saturated"
    assert monitored(real, real.flip(0), "score").verdict == "uninformative"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_any_shape_dtype_and_count_will_do(dtype):
    real, fake = torch.randn(3, 1, 5).to(dtype).requires_grad_(), torch.randn(8, 1).to(dtype)
    report = monitored(real, fake)
    assert 0 <= report.stability <= 1


def test_an_empty_probe_is_refused():
    with pytest.raises(ValueError, match="0 real and 3 fake"):
        StabilityMonitor().update(torch.empty(0), torch.zeros(3))
    with pytest.raises(ValueError, match="nothing to report"):
        StabilityMonitor().report()
    with pytest.raises(ValueError, match="output must be"):
        StabilityMonitor("sigmoid")


def test_the_sentence_tells_since_when_and_what_to_do():
    monitor, near, far = StabilityMonitor(), torch.linspace(-1, 1, 64), torch.linspace(4, 9, 64)
    for step in range(100, 2100, 100):
        late = step > 1000
        monitor.update(far if late else near, -far if late else near - 0.4, step, generator_grad_norm=1.0 + step % 300)
    report = monitor.report(since=1000)
    assert report.verdict == "discriminator_saturated"
    assert "from update 1,000 on" in report.sentence
    assert "100%" in report.sentence
    assert "lr_ratio" in report.sentence


def test_state_goes_on_exactly():
    one, other = StabilityMonitor(), StabilityMonitor()
    for step in range(10):
        one.update(torch.randn(8), torch.randn(8), step)
    other.load_state(one.state())
    for monitor in (one, other):
        monitor.update(torch.ones(8), torch.zeros(8), 10)
    assert one.rows() == other.rows()
