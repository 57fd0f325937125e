import math

import pytest
import torch

from gansearch.stability import StabilityMonitor
from gansearch.stability.monitor import CAPACITY
from gansearch.stability.verdict import VERDICTS
from gansearch.stability.window import FIELDS
from tests.stability.probes import report_on


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


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 2e4])
def test_scores_that_are_no_numbers_are_divergence_with_a_finite_score(bad):
    report = report_on(torch.tensor([0.1, bad]), torch.tensor([0.2, 0.3]))
    assert (report.verdict, report.stability) == ("diverged", 0.0)
    assert math.isfinite(report.separability)


def test_probabilities_are_logits_inside_and_counted_outside():
    logits = torch.linspace(-6, 6, 50)
    of_logits, of_probabilities = (
        report_on(logits, -logits),
        report_on(logits.sigmoid(), (-logits).sigmoid(), "probability"),
    )
    assert of_probabilities.saturated_right == of_logits.saturated_right
    assert report_on(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0]), "probability").verdict != "diverged"
    outside = report_on(torch.tensor([1.2, 7.0]), torch.tensor([0.2, 0.1]), "probability")
    assert outside.verdict == "diverged"
    assert outside.sentence.startswith("2 of D's answers lay outside 0 and 1")
    assert 'output="logit"' in outside.sentence


def test_a_state_without_the_count_of_answers_outside_is_loaded():
    monitor = StabilityMonitor("probability")
    monitor.update(torch.rand(9), torch.rand(9))
    state = monitor.state()
    del state["outside"]
    again = StabilityMonitor("probability")
    again.load_state(state)
    assert again.report().stability == monitor.report().stability


@pytest.mark.parametrize("probes", [200, 300, 2_000])
def test_swings_between_probes_are_seen_however_long_the_run(probes):
    scores = torch.randn(2, 256, generator=torch.Generator().manual_seed(0))
    monitor = StabilityMonitor()
    for step in range(probes):
        monitor.update(scores[0] + (2.0 if step % 2 else -2.0), scores[1], step)
    report = monitor.report()
    assert report.verdict == "oscillating"
    assert "separability swings by 0.4" in report.sentence


def test_a_state_of_an_earlier_version_is_loaded_as_if_the_probes_of_a_row_were_alike():
    monitor, earlier = StabilityMonitor(), StabilityMonitor()
    for step in range(300):
        monitor.update(torch.randn(50) + 1, torch.randn(50), step)
    state = monitor.state()
    at = FIELDS.index("separability_square")
    state["rows"] = torch.cat([state["rows"][:, :at], state["rows"][:, at + 1 :]], 1)
    earlier.load_state(state)
    assert earlier.report().separability == monitor.report().separability
    assert earlier.rows()[0].swing == pytest.approx(0, abs=1e-3)


def test_a_report_on_few_probes_says_so():
    monitor = StabilityMonitor()
    for probe in range(1, 6):
        monitor.update(torch.randn(64), torch.randn(64))
        assert ("This rests on" in monitor.report().sentence) == (probe < 5)


def test_scores_that_are_no_tensors_are_refused():
    with pytest.raises(TypeError, match="takes tensors of D's scores, not a float"):
        StabilityMonitor().update(1.0, 2.0)


def test_a_critic_is_judged_on_the_half_that_did_not_calibrate_it():
    draws = torch.Generator().manual_seed(1)
    real, fake = torch.randn(400, generator=draws) * 50 + 900, torch.randn(400, generator=draws) * 50 + 100
    report = report_on(real, fake, "score")
    assert report.verdict == "discriminator_saturated"
    assert report_on(real, real.flip(0), "score").verdict == "uninformative"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_scores_may_have_any_shape_dtype_and_count(dtype):
    real, fake = torch.randn(3, 1, 5).to(dtype).requires_grad_(), torch.randn(8, 1).to(dtype)
    report = report_on(real, fake)
    assert 0 <= report.stability <= 1


def test_an_empty_probe_is_refused():
    with pytest.raises(ValueError, match="0 real and 3 fake"):
        StabilityMonitor().update(torch.empty(0), torch.zeros(3))
    with pytest.raises(ValueError, match="nothing to report"):
        StabilityMonitor().report()
    with pytest.raises(ValueError, match="output must be"):
        StabilityMonitor("sigmoid")


def test_a_loaded_state_continues_exactly():
    one, other = StabilityMonitor(), StabilityMonitor()
    for step in range(10):
        one.update(torch.randn(8), torch.randn(8), step)
    other.load_state(one.state())
    for monitor in (one, other):
        monitor.update(torch.ones(8), torch.zeros(8), 10)
    assert one.rows() == other.rows()


def test_samples_of_two_shapes_are_refused():
    with pytest.raises(ValueError, match=r"same shape; got \(3,\) and \(2,\)"):
        StabilityMonitor().update(torch.zeros(4), torch.zeros(4), samples=(torch.zeros(4, 3), torch.zeros(4, 2)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.uint8])
def test_samples_may_have_any_dtype_and_count_and_need_not_be_numbers(dtype):
    monitor = StabilityMonitor()
    real, fake = (torch.rand(n, 1, 4, 4) * 9 for n in (7, 12))
    if dtype.is_floating_point:
        fake[0, 0, 0, 0] = math.nan
    monitor.update(torch.randn(7), torch.randn(12), samples=(real.to(dtype), fake.to(dtype)))
    report = monitor.report()
    assert 0 <= report.apart <= 1
    assert report.diversity > 0


def test_insignificant_differences_are_ties():
    tiny = torch.linspace(0, 1e-5, 50)
    assert report_on(tiny + 1e-4, tiny).separability == 0.5
    critic = StabilityMonitor("score")
    critic.update(tiny + 5, tiny)
    critic.update(tiny + 1e-4, tiny)
    assert [row.separability for row in critic.rows()] == [1.0, 0.5]


@pytest.mark.parametrize("output", ["logit", "probability", "score"])
def test_an_update_reads_nothing_back_from_the_device(output):
    monitor = StabilityMonitor(output)
    for _ in range(2):  # tensors without numbers: whatever would wait for one of them raises
        scores, samples = torch.rand(9, 1, device="meta"), torch.rand(9, 3, 4, 4, device="meta")
        norm = torch.rand((), device="meta")
        monitor.update(scores, scores, generator_grad_norm=norm, seen=scores, samples=(samples, samples))
    with pytest.raises((NotImplementedError, RuntimeError)):
        monitor.report()


def test_samples_and_the_step_may_come_after_the_scores():
    at_once, later = StabilityMonitor(), StabilityMonitor()
    for step in range(5):
        scores, samples = (torch.randn(30), torch.randn(30)), (torch.randn(30, 2), torch.randn(30, 2))
        at_once.update(*scores, step, samples=samples)
        later.update(*scores, 99)
        later.add_samples(*samples)
        later.set_step(step)
    assert later.rows() == at_once.rows()
    with pytest.raises(ValueError, match="after the update"):
        StabilityMonitor().add_samples(*samples)


@pytest.mark.parametrize(("real", "fake"), [(4.5, -4.5), (0.6, -0.6), (0.0, 0.0), (-2.0, 2.0)])
def test_patches_of_pictures_have_the_verdict_of_independent_samples(real, fake):
    generator = torch.Generator().manual_seed(0)
    patches, samples = StabilityMonitor(), StabilityMonitor()
    for _ in range(20):
        pictures = torch.randn(2, 200, 1, 1, 1, generator=generator) * 0.6
        scores = pictures + torch.randn(2, 200, 1, 4, 4, generator=generator) * 0.8
        patches.update(scores[0] + real, scores[1] + fake)
        samples.update(torch.randn(200, generator=generator) + real, torch.randn(200, generator=generator) + fake)
    one, other = patches.report(), samples.report()
    assert one.verdict == other.verdict
    assert one.stability == pytest.approx(other.stability, abs=0.05)


def fed(monitor, probes=20, apart=0.0, scores=0.5, samples=True):
    """A monitor after probes in which the fakes lie `apart`, and D's logits are ± `scores`."""
    draws = torch.Generator().manual_seed(0)
    for step in range(1, probes + 1):
        real, fake = scores + torch.randn(2, 128, generator=draws).mul(0.5) * torch.tensor([[1.0], [-1.0]])
        pair = (torch.randn(128, 2, generator=draws), torch.randn(128, 2, generator=draws) + apart)
        monitor.update(real, -fake.abs(), step=step * 10, **({"samples": pair} if samples else {}))
    return monitor


def test_metrics_are_finite_numbers_by_name_that_agree_with_the_report_on_the_last_half():
    monitor = fed(StabilityMonitor())
    report, metrics = monitor.scored(), monitor.metrics()
    assert {type(value) for value in metrics.values()} == {float}
    assert all(math.isfinite(value) for value in metrics.values())
    assert metrics["stability"] == report.stability == monitor.report(since=100).stability
    assert metrics["apart"] == report.apart
    assert VERDICTS[int(metrics["verdict_number"])] == report.verdict
    assert metrics["healthy"] == (report.verdict == "balanced") == 1.0
    assert "grad_norm" not in metrics  # nobody gave one
    assert "hopeless" not in metrics  # without a share nobody can tell


def test_a_monitor_without_samples_has_no_numbers_of_them_and_one_without_a_probe_none():
    assert StabilityMonitor().metrics() == {} == StabilityMonitor().metrics(share=0.5)
    assert StabilityMonitor().beyond_hope(0.9) == ""
    metrics = fed(StabilityMonitor(), samples=False).metrics()
    assert not {"apart", "diversity", "moved"} & metrics.keys()
    with pytest.raises(ValueError, match="nothing to report"):
        StabilityMonitor().scored()


def test_a_run_is_beyond_hope_as_a_trial_is():
    far = fed(StabilityMonitor(), apart=30.0)
    assert far.beyond_hope(0.1) == ""
    assert "far from the data" in far.beyond_hope(0.3)
    assert [far.metrics(share)["hopeless"] for share in (0.1, 0.3)] == [0.0, 1.0]
    assert far.metrics(0.3)["healthy"] == 0.0
    near = fed(StabilityMonitor())
    assert near.metrics(share=0.9)["hopeless"] == 0.0
    near.update(torch.tensor([math.nan]), torch.zeros(1))
    assert "no longer finite" in near.beyond_hope(0.01)
