from gansearch.diagnosis.rules.finding import KINDS, Finding


def test_kinds_are_those_that_scripts_rely_on():
    assert set(KINDS) == {
        *("diverged", "frozen", "discriminator_saturated", "generator_dominates", "oscillating", "not_training"),
        *("not_started", "idle", "runaway", "contradiction", "memorising", "metric_broken", "trend"),
    }


def test_a_note_says_nothing_against_a_run():
    assert Finding("frozen", "proven", "").is_verdict
    assert Finding("frozen", "likely", "").is_verdict
    assert not Finding("discriminator_saturated", "note", "").is_verdict
