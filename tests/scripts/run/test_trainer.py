import math
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gansearch.scripts.errors import ScriptFailed
from tests.scripts.conftest import ROWS, gone

ENDLESS = """
import time
i = 0
while True:
    i += 1
    print(f"step {i} d_loss {1.3 + i % 3 / 10:.4f} g_loss {0.7 + i % 5 / 10:.4f}")
    time.sleep(0.01)
"""


def test_its_rows_are_probes_and_its_end_is_complete(train: Any) -> None:
    trainer, probes = train(ROWS + "print('fid 12.5')\n", distance="fid")
    result = trainer.result()
    assert [probe.update for probe in probes] == list(range(1, 21))
    assert probes[2].loss_d == 1.3
    assert (result.status, result.verdict, result.distance, result.updates) == ("complete", "unknown", 12.5, 20)
    assert result.healthy
    assert "cannot show the rest" in result.sentence
    assert trainer.share == 1


def test_a_script_that_dies_at_once_says_its_last_lines(train: Any) -> None:
    with pytest.raises(ScriptFailed) as failed:
        train("print('loading')\nraise ValueError('no data')\n")
    first, *lines = str(failed.value).splitlines()
    assert first == "train.py: it ended with exit status 1; its last lines:"
    assert lines[-1] == "ValueError: no data"


@pytest.mark.parametrize("code", ["", "print('epoch 1 of 3')", "print('lr = 0.1, lambda_aux = 45.0')"])
def test_exit_without_a_number_is_a_failure(train: Any, code: str) -> None:
    with pytest.raises(ScriptFailed, match="exit status 0, but no number was read"):
        train(code)


def test_a_file_that_never_comes_is_named(train: Any) -> None:
    with pytest.raises(ScriptFailed, match=r"no file is called metrics\.csv, as task\.metrics says"):
        train("print('done')", metrics="{out}/metrics.csv")


def test_a_foreign_signal_is_a_failure(train: Any) -> None:
    with pytest.raises(ScriptFailed, match="ended by SIGKILL, as the system does where memory is short"):
        train(f"{ROWS}\nimport os; os.kill(os.getpid(), {int(signal.SIGKILL)})")


def test_an_endless_script_is_complete_at_its_budget(train: Any) -> None:
    trainer, probes = train(ENDLESS, updates=30)
    result = trainer.result()
    assert result.status == "complete"
    assert max(probe.update for probe in probes) == 30
    assert gone(trainer._token)


def test_an_endless_script_that_is_given_its_length_is_ended_later(train: Any) -> None:
    trainer, probes = train(ENDLESS, updates=20, words=("--steps={updates}",))
    assert trainer.result().status == "complete"
    assert 20 < max(probe.update for probe in probes) <= 40


def test_the_time_limit_is_a_failure(train: Any) -> None:
    start = time.monotonic()
    with pytest.raises(ScriptFailed, match=r"longer than task\.limit_seconds"):
        train(ENDLESS, updates=10**6, limit_seconds=0.5)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("broken", ["d_loss", "g_loss"])
def test_nan_is_diverged(train: Any, broken: str) -> None:
    trainer, _ = train(ROWS + f"for i in range(21, 31): print(f'step {{i}} {broken} nan')\n", updates=30)
    result = trainer.result()
    assert (result.status, result.verdict, result.stability) == ("failed", "diverged", 0.0)
    assert result.error.startswith("diverged: ")


def test_a_distance_of_nan_is_diverged(train: Any) -> None:
    trainer, _ = train(ROWS + "print('fid nan')\n", distance="fid")
    assert trainer.result().verdict == "diverged"


def test_a_training_that_diverges_is_beyond_hope(train: Any) -> None:
    code = ENDLESS.replace("{1.3 + i % 3 / 10:.4f}", "nan")
    trainer, _ = train(code, updates=10**6, prune=True)
    assert trainer.result().status == "failed"
    assert trainer.result().updates < 10**6


def test_it_is_stopped_between_two_probes(train: Any, tmp_path: Path) -> None:
    trainer, _ = train(ROWS)  # for its fixtures
    (tmp_path / "train.py").write_text(ENDLESS)
    other = type(trainer)(trainer.task, trainer.task.task, trainer.training, 4)
    assert not other.prune
    for _ in other.run():
        other.stopped = "behind"
    result = other.result()
    assert (result.status, result.sentence[:10]) == ("pruned", "Stopped at")
    assert other.share < 1
    assert gone(other._token)


def test_an_abandoned_run_leaves_nothing(train: Any, tmp_path: Path) -> None:
    trainer, _ = train(ROWS)
    (tmp_path / "train.py").write_text(ENDLESS)
    other = type(trainer)(trainer.task, trainer.task.task, trainer.training, 4)
    running = other.run()
    next(running)
    running.close()
    assert gone(other._token)


def test_a_command_measures_the_distance_of_what_was_left(train: Any) -> None:
    code = "import sys\nopen(sys.argv[1], 'w').write('2.5e-1')\nprint('nothing')"
    measure = [sys.executable, "-c", "import sys; print('fid:', open(sys.argv[1]).read())", "{out}/fid"]
    trainer, _ = train(code, words=("{out}/fid",), distance={"command": measure})
    result = trainer.result()
    assert (result.status, result.verdict, result.distance) == ("complete", "unknown", 0.25)
    assert "no number of D or G" in result.sentence
    assert math.isnan(result.stability)


@pytest.mark.parametrize(("code", "why"), [("print('none')", "printed no number"), ("raise SystemExit(4)", "status 4")])
def test_a_distance_that_cannot_be_measured_is_a_failure(train: Any, code: str, why: str) -> None:
    with pytest.raises(ScriptFailed, match=rf"task\.distance\.command: .*{why}"):
        train(ROWS, distance={"command": [sys.executable, "-c", code]})


def test_nothing_secret_is_written_down(train: Any) -> None:
    trainer, _ = train(ROWS + "import os; print(os.environ['MY_API_KEY'])")
    records = trainer.records()
    assert set(records) == {"command.txt", "stdout.txt"}
    assert "not-for-others" not in str(records)
    assert records["stdout.txt"].endswith("***\n")


def test_what_it_left_is_copied(train: Any, tmp_path: Path) -> None:
    trainer, _ = train(ROWS + "import sys; open(sys.argv[1], 'w').write('weights')", words=("{out}/g.pt",))
    trainer.copy_files(tmp_path / "copy")
    assert (tmp_path / "copy" / "g.pt").read_text() == "weights"
    assert (tmp_path / "copy" / "stdout.txt").read_text().startswith("step 1 ")


def test_links_that_it_left_are_files_of_the_copy_or_none(train: Any, tmp_path: Path) -> None:
    lines = "import os, sys; os.chdir(sys.argv[1]); open('5.pt', 'w').write('weights')\n"
    links = {"latest.pt": "5.pt", "same.pt": "OUT/5.pt", "away": "/etc/hostname", "d": "."}
    lines += f"for name, to in {links}.items(): os.symlink(to.replace('OUT', os.getcwd()), name)\n"
    trainer, _ = train(ROWS + lines, words=("{out}",))
    for _ in range(2):
        trainer.copy_files(tmp_path / "copy")
    assert not any(path.is_symlink() for path in (tmp_path / "copy").iterdir())
    assert {path.name for path in (tmp_path / "copy").iterdir()} >= {"5.pt", "latest.pt", "same.pt", "stdout.txt"}
    assert not {"away", "d"} & {path.name for path in (tmp_path / "copy").iterdir()}
    assert (tmp_path / "copy/latest.pt").read_text() == "weights"


def test_a_distance_that_is_never_read_is_remarked_on(train: Any) -> None:
    trainer, _ = train(ROWS, distance="d_lss")
    assert trainer.remark() == "task.distance: no column is called 'd_lss'. Did you mean 'd_loss'?"


def test_a_silent_script_says_that_it_lives(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gansearch.scripts.run.trainer.ALIVE_SECONDS", 0.2)
    _, probes = train("import time; time.sleep(1)\n" + ROWS)
    assert probes[0].is_empty
    assert not probes[-1].is_empty


def test_the_first_rows_of_a_long_training_are_shown_at_once(train: Any) -> None:
    _, probes = train(ROWS, updates=10**6)
    assert len(probes) == 1
    assert probes[0].update <= 20


def test_the_file_of_a_monitor_gives_a_full_verdict(train: Any) -> None:
    root = Path(__file__).parents[2]
    code = f"""
import sys
sys.path.insert(0, {str(root)!r})
import torch, gansearch
torch.manual_seed(0)
monitor = gansearch.StabilityMonitor(path=sys.argv[1])
for step in range(1, 41):
    monitor.update(torch.randn(64) + 12, torch.randn(64) - 12, step)
"""
    trainer, probes = train(code, 40, ("{out}/probes.jsonl",), metrics="{out}/*.jsonl")
    result = trainer.result()
    assert (result.status, result.verdict) == ("complete", "discriminator_saturated")
    assert result.saturated_right > 0.99
    assert probes[-1].update == 40
    assert probes[-1].separability == 1


def test_two_runs_of_one_trainer_share_no_folder(train: Any) -> None:
    trainer, _ = train(ROWS)
    first = trainer.folder
    trainer._complete = False
    list(trainer.run())
    assert trainer.folder != first
    assert os.path.commonpath([first, trainer.folder]) == str(first.parent)
