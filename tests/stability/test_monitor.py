import json
import math
import statistics

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
    outside = monitored(torch.tensor([1.2, 7.0]), torch.tensor([0.2, 0.1]), "probability")
    assert outside.verdict == "diverged"
    assert outside.sentence.startswith("2 of D's answers lay outside 0 and 1")
    assert 'output="logit"' in outside.sentence


def test_a_state_of_before_answers_outside_were_counted_is_gone_on_from():
    monitor = StabilityMonitor("probability")
    monitor.update(torch.rand(9), torch.rand(9))
    state = monitor.state()
    del state["outside"]
    again = StabilityMonitor("probability")
    again.load_state(state)
    assert again.report().stability == monitor.report().stability


def test_few_probes_are_said_to_be_few():
    monitor = StabilityMonitor()
    for probe in range(1, 6):
        monitor.update(torch.randn(64), torch.randn(64))
        assert ("This rests on" in monitor.report().sentence) == (probe < 5)


def test_what_is_no_tensor_is_told():
    with pytest.raises(TypeError, match="takes tensors of D's scores, not a float"):
        StabilityMonitor().update(1.0, 2.0)


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


def test_a_sentence_does_not_speak_of_outputs_that_there_are_none_of():
    near = torch.linspace(-1, 1, 64)
    data = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    for shift, verdict in ((1.2, "discriminator_saturated"), (0.4, "balanced"), (-1.2, "generator_dominates")):
        monitor = StabilityMonitor()
        fakes = data.flip(0) if verdict == "balanced" else data + 5
        monitor.update(near + shift, near - shift, samples=(data, fakes))
        assert monitor.report().verdict == verdict
        assert "0%" not in monitor.report().sentence


def test_state_goes_on_exactly():
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


def test_samples_show_collapse_where_scores_do_not():
    near = torch.linspace(-1, 1, 64)
    data = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    for fakes, verdict, words in (
        (data.flip(0), "balanced", "D separates"),
        (data[:1].expand(64, 2), "collapsed", "nearly the same sample"),
        (data[:5].repeat(13, 1)[:64], "collapsed", "repeats a few samples"),
    ):
        monitor = StabilityMonitor()
        monitor.update(near + 0.4, near - 0.4, samples=(data, fakes))
        report = monitor.report()
        assert report.verdict == verdict
        assert words in report.sentence


def test_samples_that_jump_from_probe_to_probe_are_an_oscillation_whatever_d_says():
    monitor, near = StabilityMonitor(), torch.linspace(-1, 1, 64)
    data = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    for step in range(1, 21):
        monitor.update(near + 0.4, near - 0.4, step * 100, samples=(data, data + (5 if step % 2 else -5)))
    report = monitor.report()
    assert report.verdict == "oscillating"
    assert report.moved > 0.5
    assert "little in common" in report.sentence


def test_a_d_that_knows_its_training_reals_by_heart_is_told():
    near = torch.linspace(-1, 1, 64)
    monitor, fair = StabilityMonitor(), StabilityMonitor()
    monitor.update(near, near - 0.5, seen=near + 3)
    fair.update(near, near - 0.5, seen=near[:32].flip(0).repeat(2) * -1)
    assert monitor.report().held_out_gap == 1
    assert "100% of the time: it memorises" in monitor.report().sentence
    assert abs(fair.report().held_out_gap) < 0.6
    unknown = monitored(near, near - 0.5)
    assert math.isnan(unknown.held_out_gap)


@pytest.mark.parametrize(
    ("norms", "trouble"),
    [
        ([1.0] * 20, ""),
        ([1.0] * 10 + [1e-5] * 10, "vanishing"),
        ([500.0] * 20, "exploding"),
        ([0.1, 0.1, 0.1, 5.0] * 5, "noisy"),
    ],
)
def test_what_is_wrong_with_gs_gradient(norms, trouble):
    monitor, sure = StabilityMonitor(), torch.linspace(4, 9, 64)
    for step, norm in enumerate(norms, 1):
        monitor.update(sure, -sure, step, generator_grad_norm=norm)
    report = monitor.report(since=10)
    assert report.gradient == trouble
    words = {"": "", "vanishing": "has vanished", "exploding": "explodes", "noisy": "varies by"}[trouble]
    assert words in report.sentence
    assert report.grad_norm == pytest.approx(sum(norms[10:]) / 10)


def test_the_volatility_is_that_of_ds_own_loss_on_the_probe():
    monitor, losses = StabilityMonitor(), []
    for shift in (0.0, 1.0, 3.0):
        real, fake = torch.full((8,), shift), torch.full((8,), -shift)
        losses.append(2 * math.log1p(math.exp(-shift)))
        monitor.update(real, fake)
    assert monitor.report().loss_volatility == pytest.approx(statistics.pstdev(losses), rel=1e-4)


def test_outputs_that_differ_by_nothing_that_counts_are_ties():
    tiny = torch.linspace(0, 1e-5, 50)
    assert monitored(tiny + 1e-4, tiny).separability == 0.5
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


def test_a_report_is_text_data_and_a_figure():
    monitor = StabilityMonitor()
    for step in range(0, 400, 10):
        monitor.update(torch.randn(50) + 1, torch.randn(50) - 1, step, generator_grad_norm=float(step + 1))
    report = monitor.report()
    assert str(report).startswith(f"{report.verdict} (stability {report.stability:.2f}): ")
    data = json.loads(json.dumps(report.summary(), allow_nan=False))
    assert data["verdict"] == report.verdict
    assert data["apart"] is None  # no samples were given
    assert [window["step"] for window in data["windows"]] == [window["step"] for window in report.windows]
    figure = report.figure()
    lines = {line.name: line for line in figure.data}
    assert list(lines["separability"].x) == [window["step"] for window in report.windows]
    assert list(lines["of G"].y) == pytest.approx([window["grad_norm"] for window in report.windows], rel=1e-3)


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
