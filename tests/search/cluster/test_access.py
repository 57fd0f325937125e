"""Who is warned of a Ray that anybody reaches, and who reads its token."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from gansearch.search.cluster.access import protect_token, warn_if_open


@pytest.mark.parametrize(
    ("addresses", "has_token", "warns"),
    [
        (["127.0.0.1"], False, False),
        (["::1", "127.0.0.2"], False, False),
        (["192.0.2.2"], True, False),
        (["192.0.2.2", "127.0.0.1"], False, True),
        (["head"], False, True),
    ],
)
def test_a_ray_on_a_network_without_a_token_is_warned_of(addresses, has_token, warns, caplog):
    with caplog.at_level(logging.WARNING):
        warn_if_open([{"NodeManagerAddress": address} for address in addresses], has_token)
    assert [record.getMessage().partition(" wants")[0] for record in caplog.records] == (
        [f"warning: Ray on {', '.join(sorted(addresses))}"] if warns else []
    )


def test_the_token_is_the_users_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    protect_token()
    file = tmp_path / ".ray" / "auth_token"
    file.parent.mkdir()
    file.write_text("token")
    file.chmod(0o644)
    protect_token()
    assert file.stat().st_mode & 0o777 == 0o600


LISTENING = """
import json, sys
from pathlib import Path
from gansearch.search.cluster.cluster import cluster

def parent(pid):
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0

def sockets(pid):
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            found.add(descriptor.readlink().name)
        except OSError:
            pass
    return found

def command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\\0")
    except OSError:
        return []

if __name__ == "__main__":
    import os
    with cluster() as joined:
        own, all = {os.getpid()}, [int(p.name) for p in Path("/proc").glob("[0-9]*")]
        for _ in range(5):
            own |= {pid for pid in all if parent(pid) in own}
        mine = set.union(*map(sockets, own))
        rows = [row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").open()][1:]
        addresses = [row[1].split(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in mine]
        print(json.dumps({"addresses": addresses, "commands": [*map(command, own)]}))
"""


@pytest.mark.ray
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux")
def test_the_ray_of_a_sweep_listens_on_loopback_alone(tmp_path):
    (tmp_path / "listening.py").write_text(LISTENING)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "listening.py")], capture_output=True, text=True, check=True, timeout=240
    )
    found = json.loads(done.stdout.splitlines()[-1])
    addresses = found["addresses"]
    assert len(addresses) > 5
    assert {address[-8:] for address in addresses} == {"0100007F"}, "of IPv6 those that are mapped to 127.0.0.1"
    assert "wants no token" not in done.stderr
    programs = {Path(word).name for words in found["commands"] for word in words}
    assert {"raylet", "gcs_server"} < programs
    assert not programs & {"log_monitor.py", "dashboard.py"}, "nobody looks at what they show"
