"""The journal outlives a write that was cut off."""

import os

import pytest
from optuna.trial import TrialState

from gansearch.search.sampling.searcher import open_study
from tests.search.studies import record, searcher_of


def test_a_torn_journal_is_cut_to_its_last_whole_line(folder, tiny):
    searcher = searcher_of(open_study(folder, tiny()), tiny())
    searcher.suggest("ray")
    searcher.tell(record(0, "complete"))
    with folder.journal.open("ab") as journal:
        journal.write(b'{"op_code": 4, "worker_id": "x", "study_')
    study = open_study(folder, tiny())
    searcher_of(study, tiny()).suggest("ray")
    again = open_study(folder, tiny())
    assert [trial.state for trial in again.trials] == [TrialState.COMPLETE, TrialState.RUNNING]


def test_nothing_is_added_to_a_journal_that_was_cut_off_while_it_is_written(folder, tiny):
    searcher = searcher_of(open_study(folder, tiny()), tiny())
    searcher.suggest("ray")
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    os.truncate(folder.journal, len(b"".join(lines[:2])))
    left = folder.journal.read_bytes()
    with pytest.raises(OSError, match=r"study\.journal was cut off .* --resume repairs it"):
        searcher.tell(record(0, "complete"))
    assert folder.journal.read_bytes() == left
