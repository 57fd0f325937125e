"""Which deaths of its worker are a trial's own and which are its node's, and what ended trials leave behind."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from ray.tune import PlacementGroupFactory

from gansearch.formatting import error_line
from gansearch.search.dry_run.fill import Fill
from gansearch.search.supervisor import Housekeeper, Supervisor
from gansearch.search.tuning import FAILURES, Stop
from gansearch.search.watchdog import Patience
from gansearch.search.worker.checkpoints import ray_folder
from gansearch.search.worker.run import Ending
from gansearch.signals import Interrupts
from gansearch.store.folder import Folder


class TuneTrial:
    """A trial as Ray Tune has it."""

    def __init__(self, gpus=1.0):
        self.placement_group_factory = PlacementGroupFactory([{"CPU": 1.0, "GPU": gpus}], strategy="STRICT_PACK")
        self.config = {"number": 0, "params": {}}
        self.max_failures = FAILURES
        self.metric_analysis, self.metric_n_steps, self.last_result, self.evaluated_params = ({1: 2} for _ in range(4))


@pytest.fixture
def supervisor():
    slots = SimpleNamespace(
        fit=["known", "gone"],
        is_alive=lambda node: node != "gone",
        update=lambda: None,
        wanted=7,
        now=6,
        fill=None,
        bundle={"CPU": 1.0, "GPU": 0.25},
        thin_out=lambda gpus: False,
    )
    return Supervisor(slots, Patience(None), SimpleNamespace(most=0, ahead=True), Interrupts())


def ending(error=""):
    now = datetime.now(UTC)
    return Ending([], None, now, now, "192.0.2.9", error)


def test_what_fails_on_a_node_that_has_not_answered_is_tried_elsewhere(supervisor):
    trial = TuneTrial()
    supervisor.on_trial_start(trial)
    result = {"rows": [], "on": "new", "ending": ending("ModuleNotFoundError: No module named 'mine'")}
    supervisor.on_trial_result(trial, result)
    assert result["ending"] is None, "the recorder must not record it"
    supervisor.on_trial_recover(trial)
    assert trial.max_failures == FAILURES + 1
    assert trial.config["alone"], "it shares its process with no other trial"


def test_a_worker_that_dies_after_the_ending_is_not_replaced(supervisor):
    trial = TuneTrial()
    supervisor.on_trial_start(trial)
    result = {"rows": [], "on": "known", "ending": ending("RuntimeError")}
    supervisor.on_trial_result(trial, result)
    assert trial.max_failures == 0
    assert result["ending"]


MEMORY = """Traceback (most recent call last):
  File "gan.py", line 3, in forward
    return self.layer(x)
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB
"""


def test_a_trial_that_runs_out_of_memory_on_a_gpu_that_it_shares_is_tried_again_alone(supervisor, caplog):
    thinned, trial = [], TuneTrial(gpus=0.25)

    def thin_out(gpus):
        thinned.append(gpus)
        supervisor._slots.fill = Fill(3)
        return True

    supervisor._slots.thin_out = thin_out
    result = {"rows": [], "on": "known", "ending": ending(MEMORY)}
    supervisor.on_trial_result(trial, result)
    assert (result["ending"], thinned) == (None, [0.25])
    assert trial.placement_group_factory == PlacementGroupFactory([{"CPU": 1.0, "GPU": 1.0}], strategy="STRICT_PACK")
    assert trial.max_failures == FAILURES + 1
    assert "trial 00000 ran out of memory on a GPU that it shared" in caplog.text
    assert caplog.text.strip().endswith("from now on 3 at once")
    result = {"rows": [], "on": "known", "ending": ending(MEMORY)}
    supervisor.on_trial_result(trial, result)
    assert trial.max_failures == 0
    line = error_line(result["ending"].error)
    assert line.startswith("the trial needs more memory than its GPU has; make training.batch_size")
    assert line.endswith("Tried to allocate 2.00 GiB")


def test_trials_to_come_have_the_share_of_a_gpu_that_is_found(supervisor):
    supervisor.on_step_begin()
    assert not hasattr(supervisor._searcher, "gpus")
    supervisor._slots.fill = Fill(4)
    supervisor.on_step_begin()
    assert supervisor._searcher.gpus == 0.25


def test_a_node_that_vanishes_is_no_failure_of_the_trial(supervisor):
    trial = TuneTrial()
    for node, failures in (("known", 0), ("gone", 1), ("", 1), *(("gone", n) for n in range(2, 21)), ("gone", 20)):
        supervisor.on_trial_start(trial)
        if node:
            supervisor.on_trial_result(trial, {"rows": [], "on": node})
        supervisor.on_trial_recover(trial)
        assert trial.max_failures == FAILURES + failures


def test_the_searcher_may_have_as_many_trials_as_there_are_slots_until_an_interrupt(supervisor):
    supervisor.on_step_begin()
    assert supervisor._searcher.most == 7
    supervisor._searcher.ahead = False
    supervisor.on_step_begin()
    assert supervisor._searcher.most == 6
    supervisor._interrupts.requested = True
    with pytest.raises(Stop):
        supervisor.on_step_begin()


def test_checkpoints_are_removed_but_the_newest_and_all_at_the_end(tmp_path):
    folder, trial = Folder(tmp_path), TuneTrial()
    saved = [ray_folder(folder, "00000") / f"checkpoint_00000{number}" for number in range(3)]
    for path in saved:
        path.mkdir(parents=True)
    Housekeeper(folder, checkpoints_kept=2).on_trial_save(trial)
    assert [path.exists() for path in saved] == [False, True, True]
    Housekeeper(folder, ended_kept=True).on_trial_complete(trial)
    assert [path.exists() for path in saved] == [False, True, True]
    Housekeeper(folder).on_trial_error(trial)
    assert not saved[2].exists()
    assert trial.last_result == {}


UNLOADABLE = """Failure # 3 (occurred at 2026-01-01_00-00-00)
The actor is dead because its worker process has died. Traceback (most recent call last):
RuntimeError: The actor with name ImplicitFunc failed to import on the worker. This may be because needed library

Traceback (most recent call last):
  File "function_manager.py", line 696, in _load_actor_class_from_gcs
    actor_class = pickle.loads(pickled_class)
ImportError: cannot import name 'begun' from 'gansearch.search.worker'

During handling of the above exception, another exception occurred:
An unexpected internal error occurred while the worker was executing a task.
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (UNLOADABLE, "same gansearch on every node? ImportError: cannot import name 'begun' from 'gansearch.search"),
        ("Failure # 3\nThe node ran out of memory.\n", "died 3 times (killed, or ended by the code it ran); the last"),
        (None, "the last time: no error was given"),
    ],
)
def test_what_a_dead_worker_could_not_say_is_in_tunes_own_file(supervisor, tmp_path, text, said):
    trial = TuneTrial()
    trial.run_metadata = SimpleNamespace(num_failures=3)
    trial.error_file = tmp_path / "error.txt"
    if text is not None:
        trial.error_file.write_text(text)
    assert said in supervisor.failure(trial)
