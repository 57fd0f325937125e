from pathlib import Path

import torch

from gansearch.diagnosis import diagnosis
from gansearch.stability.monitor import StabilityMonitor
from gansearch.stability.probe_file import MARK, GrowingProbes
from gansearch.stability.report import judge


def probed(path: Path, count: int, seed: int = 0) -> StabilityMonitor:
    torch.manual_seed(seed)
    monitor = StabilityMonitor(path=path)
    for step in range(1, count + 1):
        samples = (torch.randn(32, 2), torch.randn(32, 2))
        monitor.update(torch.randn(64) + 1, torch.randn(64) - 1, 10 * step, 0.5, samples=samples)
    return monitor


def test_the_file_gives_the_report_of_the_monitor(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "probes.jsonl"
    monitor = probed(path, 30)
    reading = GrowingProbes(path)
    assert reading.read()
    assert str(judge(reading.windows, -1)) == str(monitor.report())
    assert path.read_bytes().startswith(MARK)


def test_it_goes_on_where_it_stopped_and_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "probes.jsonl"
    monitor = probed(path, 2)
    reading = GrowingProbes(path)
    reading.read()
    monitor.update(torch.randn(8), torch.randn(8), 30)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    reading.read()
    assert [one.step for one in reading.windows] == [10, 20]
    path.write_bytes(whole)
    reading.read()
    assert [one.step for one in reading.windows] == [10, 20, 30]


def test_samples_that_follow_belong_to_their_probe_and_another_run_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "probes.jsonl"
    monitor = StabilityMonitor(path=path)
    monitor.update(torch.randn(8), torch.randn(8), 1)
    monitor.add_samples(torch.randn(8, 2), torch.randn(8, 2))
    reading = GrowingProbes(path)
    reading.read()
    assert [one.looks for one in reading.windows] == [1]
    probed(path, 1)
    reading.read()
    assert [one.step for one in reading.windows] == [10]


def test_diagnose_reads_it_too(tmp_path: Path) -> None:
    probed(tmp_path / "probes.jsonl", 20)
    log = diagnosis.diagnose(tmp_path / "probes.jsonl").log
    assert log.records == 20
    assert {"p_real", "p_fake"} <= set(log.games[0].columns)


def test_a_monitor_without_a_path_writes_nothing(tmp_path: Path) -> None:
    StabilityMonitor().update(torch.randn(8), torch.randn(8))
    assert list(tmp_path.iterdir()) == []
