import math
from pathlib import Path

import torch

from gansearch.gan.loop.trial import Trial


def trial(prune=False):
    probes = []
    made = Trial({"lr": 1}, 0, torch.device("cpu"), 10, Path(), prune, probes.append)
    return made, probes


def scores(shift=0.4, n=40):
    draws = torch.Generator().manual_seed(0)
    return torch.randn(n, generator=draws) + shift, torch.randn(n, generator=draws) - shift


def test_a_report_dates_the_probe_before_it_and_hands_it_over():
    one, probes = trial()
    one.monitor.update(*scores())
    one.report(step=4, loss_d=0.5, fid=3, distance=2)
    assert [row.step for row in one.monitor.rows()] == [4]
    assert (probes[0].update, probes[0].loss_d, probes[0].distance) == (4, 0.5, 2)
    assert (one.share, one.numbers, one.distance) == (0.4, {"fid": 3}, 2)
    assert math.isnan(probes[0].loss_g)


def test_scores_are_ignored_once_the_trial_is_to_stop():
    one, _ = trial()
    one.monitor.update(*scores())
    one.report(step=1)
    one.stopped = "behind the others"
    assert one.should_stop()
    one.monitor.update(*scores(9))
    one.monitors["new"].update(*scores(9))
    one.report(step=2)
    assert (list(one.used_monitors), len(one.monitor.rows()), one.step, one.ignored) == (["D"], 1, 1, 1)


def test_a_report_with_samples_measures_their_distance():
    one, probes = trial()
    one.monitor.update(*scores())
    samples = torch.randn(50, 2)
    one.report(step=1, real=samples, fake=samples + 1)
    assert 0.5 < one.distance < 1.5
    assert probes[0].distance == one.distance
    assert one.monitor.rows()[0].mean("apart") > 0.3


def test_a_last_report_at_the_step_already_reported_adds_to_it():
    one, probes = trial()
    one.monitor.update(*scores())
    one.report(step=4, distance=2)
    one.monitor.update(*scores())
    samples = torch.randn(50, 2)
    one.report(step=4, real=samples, fake=samples + 1, fid=3)
    assert [row.step for row in one.monitor.rows()] == [4, 4]
    assert (one.reports, one.numbers, one.samples[1].shape) == (1, {"fid": 3}, (50, 2))
    assert 0.5 < one.distance < 1.5
    assert [probe for probe in probes if probe] == probes[:1]


def test_a_resumed_trial_ignores_what_it_has_reported():
    one, _ = trial()
    for step in (1, 2, 3):
        one.monitor.update(*scores(step))
        one.report(step=step, distance=step)
    again, probes = trial()
    again.load_state(one.state())
    for step in (2, 3, 4):  # from a checkpoint of its own at step 1
        again.monitor.update(*scores(step))
        again.report(step=step, distance=step)
    assert [probe.update for probe in probes] == [4]
    assert [row.step for row in again.monitor.rows()] == [1, 2, 3, 4]


def test_logits_that_never_leave_0_and_1_look_like_probabilities():
    for outputs, bounded in (([0.2, 0.7], True), ([0.2, 0.7, 1.2], False), ([-0.1, 0.7], False)):
        one, _ = trial()
        for value in outputs:
            one.monitor.update(torch.full((30,), value), torch.rand(30) / 2)
        assert one.monitor.looks_bounded() is bounded
    one, _ = trial()
    one.output = "probability"
    for _ in range(3):
        one.monitor.update(torch.rand(30), torch.rand(30))
    assert not one.monitor.looks_bounded()
