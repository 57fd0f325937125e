"""The numbers of a log."""

import numpy as np

from gansearch.diagnosis.training_log import TrainingLog


def test_records_are_counted():
    log = TrainingLog("x.log", "lines", np.arange(3.0), np.arange(1, 4), ())
    assert log.records == 3
