"""optuna-dashboard and TensorBoard on a results folder, asked as a browser would, through the command."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from gansearch.cli.dashboard import add_new
from gansearch.search.callbacks.tensorboard import TensorBoardLog
from gansearch.store.folder import StudyError
from gansearch.store.trial_files import read_record
from tests.synthetic import curve, draw, experiment, write_study

COMMAND = "from gansearch.cli.main import main; main()"


@pytest.fixture
def folder(tmp_path):
    """A small study and its TensorBoard log: three configurations of two seeds."""
    import numpy as np

    rng = np.random.default_rng(0)
    folder = write_study(tmp_path / "digits", trials=3, replicas=2, confirmed=False)
    log = TensorBoardLog()
    log.begin(experiment(), folder, slots=2, done=0)
    for number in range(3):
        record, params = read_record(folder, number), draw(rng)
        log.started(number, params)
        log.probes(number, [row for seed in record.seeds for row in curve(number, params, seed, rng)])
        log.ended(record, "")
    log.close()
    return folder


@pytest.fixture
def served(folder):
    """The addresses that the command printed, and its process."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "dashboard", str(folder.path)], stdout=subprocess.PIPE, text=True
    )
    lines = [process.stdout.readline() for _ in range(2)]
    addresses = dict(re.fullmatch(r"(\S+): +(http://127\.0\.0\.1:\d+/)\n", line).groups() for line in lines)
    yield addresses, process
    process.send_signal(signal.SIGINT)
    process.wait(30)
    process.stdout.close()


def ask(address, path, data=None, until=lambda answer: True):
    """The JSON answer, once the server is up and `until` holds of it."""
    request = urllib.request.Request(address + path, data=data and json.dumps(data).encode())
    request.add_header("Content-Type", "application/json")
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                found = json.load(answer)
            if until(found):
                return found
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, found
        time.sleep(0.5)


@pytest.mark.slow
def test_both_open_the_folder_and_end_with_ctrl_c(served, folder):
    addresses, process = served
    studies = ask(addresses["optuna-dashboard"], "api/studies")
    assert [study["study_name"] for study in studies["study_summaries"]] == ["digits"]
    trials = ask(addresses["optuna-dashboard"], f"api/studies/{studies['study_summaries'][0]['study_id']}")["trials"]
    assert len(trials) == 3
    journal = folder.journal.read_bytes()
    for headers, method in (
        ({"Host": "evil.example"}, "GET"),
        ({"Origin": "http://evil.example"}, "GET"),
        ({}, "DELETE"),
    ):
        request = urllib.request.Request(
            addresses["optuna-dashboard"] + "api/studies/0", headers=headers, method=method
        )
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(request, timeout=30)
    assert folder.journal.read_bytes() == journal
    wanted = {"allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE"], "sliceSize": 10, "aggregationType": 1}
    request = urllib.request.Request(addresses["TensorBoard"], headers={"Host": "evil.example"})
    ask(addresses["TensorBoard"], "data/environment")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=30)
    assert "projector" not in ask(addresses["TensorBoard"], "data/plugins_listing")
    found = ask(
        addresses["TensorBoard"],
        "data/plugin/hparams/session_groups",
        wanted,
        until=lambda answer: len(answer.get("sessionGroups", [])) == 3,
    )
    for group in found["sessionGroups"]:
        assert re.fullmatch(r"trial-0000[012]", group["name"])
        assert len(group["sessions"]) == 2
        assert {"lr", "lr_ratio", "r1_gamma"} <= set(group["hparams"])
        assert "stability/score" in {value["name"]["tag"] for value in group["metricValues"]}
    children = subprocess.run(
        ["ps", "--ppid", str(process.pid), "-o", "pid="], capture_output=True, text=True, check=True
    ).stdout.split()
    assert len(children) >= 2
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def test_a_copy_of_a_journal_gets_its_new_whole_lines(tmp_path):
    journal, copy = tmp_path / "study.journal", tmp_path / "copy"
    for written, copied in ((b"1\n", b"1\n"), (b"1\n2\n3", b"1\n2\n"), (b"1\n2\n33\n", b"1\n2\n33\n")):
        journal.write_bytes(written)
        add_new(journal, copy)
        assert copy.read_bytes() == copied
    journal.unlink()
    journal.symlink_to(copy)
    with pytest.raises(StudyError, match="is a link"):
        add_new(journal, copy)
