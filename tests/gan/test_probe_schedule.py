import pytest

from gansearch.gan.probe_schedule import HISTOGRAMS, MEASUREMENTS, PROBES, ProbeSchedule, probe_updates


@pytest.mark.parametrize("updates", [50, 400, 4_001])
def test_a_run_has_fifty_probes_some_histograms_and_measures_its_quality_at_its_end(updates):
    probes, schedule = probe_updates(updates), ProbeSchedule(updates)
    assert 0.8 * PROBES < len(probes) <= PROBES
    assert [schedule.next(done) for done in (0, *probes[:-1])] == probes
    measured = [done for done in probes if schedule.measures_quality(done)]
    assert len(measured) == MEASUREMENTS
    assert measured[-1] == probes[-1] == updates
    assert sum(map(schedule.counts_answers, probes)) == len(probes) * HISTOGRAMS // PROBES


def test_a_run_of_two_updates_is_probed_and_measured_after_each():
    schedule = ProbeSchedule(2)
    assert probe_updates(2) == [1, 2]
    assert [schedule.measures_quality(done) for done in (1, 2)] == [True, True]
