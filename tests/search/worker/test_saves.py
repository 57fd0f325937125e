"""When a trial is saved, and that its process needs neither Ray nor pyarrow for it; see also test_checkpoints.py."""

import subprocess
import sys

from gansearch.experiment import Checkpoints
from gansearch.search.worker import saves as module
from gansearch.search.worker.saves import Saves


def test_a_trial_saves_itself_by_time_and_by_updates(pretend):
    now = [0.0]
    pretend(module, monotonic=lambda: now[0])
    saves = Saves(Checkpoints(seconds=30, updates=100), 0)
    assert [saves.due(updates) for updates in (99, 100, 150, 199, 200)] == [False, True, False, False, True]
    now[0] = 30.0
    assert saves.due(201)
    assert not saves.due(202)
    assert not Saves(Checkpoints(), 0).due(10**9)


def test_what_is_forked_has_all_that_a_trial_imports_and_nothing_with_threads():
    code = (
        "import os, sys, gansearch.search.worker.fork_server; before = set(sys.modules); "
        "import gansearch.search.worker.trial; "
        "assert set(sys.modules) == before; "
        "assert not {'ray', 'pyarrow', 'pandas'} & before; "
        "assert sys.platform != 'linux' or len(os.listdir('/proc/self/task')) == 1"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
