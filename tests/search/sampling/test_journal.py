"""The journal outlives a write that was cut off."""

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
