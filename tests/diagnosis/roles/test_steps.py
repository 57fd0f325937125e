"""Steps, appended runs and repeated states."""

import numpy as np

from gansearch.diagnosis.roles.steps import order


def counters(**columns):
    return {
        name.replace("_of", " of"): (np.array(values, float), ~np.isnan(np.array(values, float)))
        for name, values in columns.items()
    }


def test_a_step_that_falls_begins_a_run():
    found = order(counters(step=[*range(0, 50, 10), *range(0, 60, 10)]), 11)
    assert found.runs == 2
    assert found.steps.tolist() == [0, 10, 20, 30, 40, 50]
    assert found.group.tolist() == [-1] * 5 + [0, 1, 2, 3, 4, 5]


def test_a_run_that_has_just_begun_is_not_the_one_to_judge():
    found = order(counters(step=[*range(20), 0, 1]), 22)
    assert (found.runs, len(found.steps)) == (2, 20)
    assert "2 records" in found.notes[0]


def test_a_resumed_run_is_one():
    found = order(counters(step=[0, 10, 20, 30, 40, 30, 40, 50]), 8)
    assert found.runs == 1
    assert found.steps.tolist() == [0, 10, 20, 30, 40, 50]
    assert "resumed at step 30" in found.notes[0]
    long = order(counters(step=np.array([0, 10, 20, 30, 40, 30, 40, 50]) * 100_001), 8)
    assert "resumed at step 3,000,030:" in long.notes[0]


def test_batches_within_epochs():
    batch = [*range(5)] * 3
    with_epochs = order(counters(epoch=np.repeat([0, 1, 2], 5), batch=batch), 15)
    assert with_epochs.steps.tolist() == list(range(15))
    without = order(counters(batch=batch, batch_of=[5] * 15), 15)
    assert (without.runs, without.steps.tolist()) == (1, list(range(15)))
    twice = order(counters(epoch=np.repeat([0, 1, 0, 1], 5), batch=[*range(5)] * 4), 20)
    assert (twice.runs, len(twice.steps)) == (2, 10)


def test_repeated_steps_are_one_record():
    found = order(counters(step=[1, 1, 2, 3, 3, 4, 5]), 7)
    assert found.group.tolist() == [0, 0, 1, 2, 2, 3, 4]


def test_a_bar_counts_once_an_epoch():
    found = order(counters(bar=[1, 50, 100, 1, 50, 100]), 6)
    assert found.steps.tolist() == [1, 2]
    assert found.group.tolist() == [0, 0, 0, 1, 1, 1]


def test_several_records_of_an_epoch_are_fractions_of_it():
    found = order(counters(epoch=[1, 1, 2, 2, 2, 2]), 6)
    assert (found.name, found.steps.tolist()) == ("epoch", [1, 1.5, 2, 2.25, 2.5, 2.75])


def test_without_counters_records_count():
    found = order({}, 3)
    assert (found.name, found.steps.tolist()) == ("line", [1, 2, 3])
