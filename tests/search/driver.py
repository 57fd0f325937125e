"""The command `gansearch` as a process of its own, whose Ray forks its workers and which waits as briefly as tests do.

It reads the same arguments as `python -m gansearch`.
"""

import runpy

from gansearch.search import mirror
from gansearch.search.callbacks import progress
from tests.workers import fork_workers

if __name__ == "__main__":
    fork_workers()
    mirror.EVERY = mirror.BEAT = progress.EVERY = 0.3
    runpy.run_module("gansearch", run_name="__main__")
