"""Probes every so many batches."""

import pytest
import torch

from gansearch.stability.batches import BatchProbes


def probe(shift):
    assert not torch.is_grad_enabled()
    return torch.randn(64) + shift, torch.randn(64)


def test_a_probe_is_due_every_so_many_batches():
    probes = BatchProbes(probe, every=3)
    for _ in range(2):
        probes.after_batch(1.0)
    assert probes.report() is None
    for _ in range(5):
        probes.after_batch(1.0)
    assert [row.step for row in probes.monitor.rows()] == [3, 6]
    report = probes.report()
    assert probes.metrics(report) == {"stability": report.stability, "separability": report.separability}


def test_a_checkpoint_continues_the_count():
    probes, again = BatchProbes(probe, every=3), BatchProbes(probe, every=3)
    for _ in range(5):
        probes.after_batch(1.0)
    again.load_state(probes.state())
    again.after_batch(1.0)
    assert [row.step for row in again.monitor.rows()] == [3, 6]


def test_a_checkpoint_from_before_the_first_probe_has_no_report():
    probes, again = BatchProbes(probe, every=50), BatchProbes(probe, every=20)
    for _ in range(30):
        probes.after_batch(1.0)
    again.load_state(probes.state())
    assert again.report() is None


def test_every_is_at_least_one():
    with pytest.raises(ValueError, match="every must be at least 1 batch, not 0"):
        BatchProbes(probe, every=0)
