import numpy as np

from gansearch.diagnosis.rules.memory import memorising
from tests.diagnosis.logs import evidence_of, noisy


def test_signs_near_one_without_augmentation_are_memorising():
    (found,) = memorising(evidence_of(sign_real=np.r_[noisy(0.5, 60), noisy(0.95, 140, 0.01)]))
    assert (found.kind, found.grade, found.since) == ("memorising", "likely", 600.0)


def test_signs_that_a_controller_holds_are_not():
    assert list(memorising(evidence_of(sign_real=noisy(0.6), augment=np.linspace(0, 0.4, 200)))) == []
    assert list(memorising(evidence_of(sign_real=noisy(0.85), augment=np.linspace(0, 0.4, 200)))) == []


def test_a_controller_that_asks_for_more_than_there_is_cannot_help():
    (found,) = memorising(evidence_of(augment=np.linspace(0, 1.4, 200)))
    assert found.grade == "likely"
    (found,) = memorising(evidence_of(augment=np.linspace(0, 0.9, 200)))
    assert found.grade == "note"
