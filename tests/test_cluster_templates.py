"""The templates of experiments/cluster/, checked as far as they can be without the services that they are for."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import ray
import typer
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from gansearch.cli.main import app
from gansearch.experiment import Experiment, load_yaml
from tests.programs import needs

ROOT = Path(__file__).parents[1]
CLUSTER = ROOT / "experiments" / "cluster"


def sweep_options(text: str) -> list[set[str]]:
    """The options of every `gansearch sweep` in a text."""
    return [set(re.findall(r"--[a-z-]+", line)) for line in re.findall(r"gansearch sweep (.+)", text)]


def known_options() -> set[str]:
    command = typer.main.get_command(app).commands["sweep"]
    return {option for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize("name", ["aws", "gcp", "on-premise"])
def test_the_templates_of_ray_up_keep_to_its_schema(name):
    config = yaml.safe_load((CLUSTER / f"{name}.yaml").read_text())
    whole = prepare_config(config)
    validate_config(whole)
    assert whole["available_node_types"][whole["head_node_type"]]
    assert any("gansearch" in command for command in config["setup_commands"])
    if "docker" in config:
        assert f":{ray.__version__}-" in config["docker"]["image"]
        assert "--volume /shared:/shared" in config["docker"]["run_options"]
        assert any("mount -t nfs" in command for command in config["initialization_commands"])
    if name == "on-premise":
        node = next(iter(whole["available_node_types"].values()))
        assert node["max_workers"] == len(config["provider"]["worker_ips"])


def test_a_misspelt_field_of_a_template_is_an_error():
    config = yaml.safe_load((CLUSTER / "aws.yaml").read_text())
    with pytest.raises(Exception, match="max_wrokers"):
        validate_config(prepare_config({**config, "max_wrokers": 3}))


def test_the_rayjob_refers_only_to_what_it_defines():
    documents = list(yaml.safe_load_all((CLUSTER / "kuberay-rayjob.yaml").read_text()))
    objects = {document["kind"]: document for document in documents}
    assert set(objects) == {"ConfigMap", "PersistentVolumeClaim", "RayJob"}
    job = objects["RayJob"]
    assert job["apiVersion"] == "ray.io/v1"
    spec = job["spec"]
    (options,) = sweep_options(spec["entrypoint"])
    assert options <= known_options()
    assert spec["submissionMode"] in ("K8sJobMode", "HTTPMode", "SidecarMode", "InteractiveMode")
    assert yaml.safe_load(spec["runtimeEnvYAML"]) == {"pip": ["gansearch"]}
    cluster = spec["rayClusterSpec"]
    assert cluster["rayVersion"] == ray.__version__
    names = {"persistentVolumeClaim": objects["PersistentVolumeClaim"], "configMap": objects["ConfigMap"]}
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        assert isinstance(group["rayStartParams"], dict)
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        pod = group["template"]["spec"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for kind, document in names.items():
            for volume in pod["volumes"]:
                if kind in volume:
                    assert document["metadata"]["name"] in volume[kind].values()
        for container in pod["containers"]:
            assert f":{ray.__version__}-" in container["image"]
            mounted = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
            assert set(mounted.values()) <= set(volumes)
            assert "/results" in mounted
    for group in cluster["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    experiment = load_yaml(objects["ConfigMap"]["data"]["experiment.yaml"])
    assert Experiment.parse(experiment).task == "digits"


SBATCH = CLUSTER / "slurm.sbatch"


def test_the_batch_script_is_sound():
    assert subprocess.run(["bash", "-n", SBATCH], check=False).returncode == 0
    text = SBATCH.read_text()
    assert text.startswith("#!/bin/bash")
    for options in sweep_options(text):
        assert options <= known_options()


@needs("shellcheck")
def test_shellcheck_has_nothing_to_say_of_the_batch_script():
    checked = subprocess.run(["shellcheck", SBATCH], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.fixture
def allocation(tmp_path):
    """Start the script in a simulated allocation of so many nodes, whose commands record how they were called."""
    stubs = tmp_path / "bin"
    stubs.mkdir()
    record = f'echo "$(basename "$0") $*" >> {tmp_path}/calls\n'
    bodies = {
        "scontrol": "echo node1; sleep 0.1; echo node2",  # a reader of one line alone would break it
        "hostname": "echo 10.0.0.1",
        # what is no option of srun's is the command
        "srun": 'while [[ $1 == --* ]]; do shift; done\nexec "$@"',
        "ray": "[[ $1 == start ]] && exec sleep 60\nexit 0",
        "python": (  # it waits for as many nodes as the script's own does
            f'[[ $1 == -c ]] && exec {sys.executable} "$@"\ncat > /dev/null\n'
            f'until (($(grep -c "^ray start" {tmp_path}/calls) >= $3)); do sleep 0.05; done'
        ),
        "gansearch": "if [[ $* == *long* ]]; then while true; do sleep 0.1; done; fi\nexit 7",
    }
    traps = {
        "gansearch": f"trap 'echo stopped >> {tmp_path}/calls; exit 130' TERM\n"
    }  # set before the call is recorded
    for name, body in bodies.items():
        (stubs / name).write_text(f"#!/bin/bash\n{traps.get(name, '')}{record}{body}\n")
        (stubs / name).chmod(0o755)

    def start(nodes, *words):
        env = {
            "PATH": f"{stubs}:{os.environ['PATH']}",
            "SLURM_JOB_NODELIST": "node[1-2]",
            "SLURM_JOB_ID": "123",
            "SLURM_JOB_NUM_NODES": str(nodes),
            "SLURM_CPUS_PER_TASK": "16",
            "SLURM_GPUS_ON_NODE": "4",
        }
        return subprocess.Popen(["bash", SBATCH, *words], env=env, start_new_session=True)

    def calls():
        return (tmp_path / "calls").read_text() if (tmp_path / "calls").exists() else ""

    running = []
    yield lambda *words: running.append(start(*words)) or running[-1], calls
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_the_batch_script_starts_a_head_and_the_others_then_the_sweep(allocation):
    start, calls = allocation
    assert start(2, "digits.yaml", "--out", "/shared/digits").wait(60) == 7
    called = calls()
    assert "ray start --head --node-ip-address=10.0.0.1 --port=10123" in called
    assert "ray start --address=10.0.0.1:10123 --num-cpus=16 --num-gpus=4 --block" in called
    assert "gansearch sweep digits.yaml --out /shared/digits --address 10.0.0.1:10123 --resume --quiet" in called
    assert called.index("srun --nodes=1 --ntasks=1 --exclude=node1") < called.index("gansearch sweep")


def test_the_warning_before_the_time_limit_reaches_the_sweep(allocation):
    start, calls = allocation
    process = start(1, "long.yaml")
    deadline = time.monotonic() + 60
    while "gansearch sweep" not in calls() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "--address=10.0.0.1" not in calls()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    assert "stopped" in calls()


def test_the_page_on_clusters_names_existing_files_and_options():
    text = (ROOT / "docs" / "cluster.md").read_text()
    for options in sweep_options(text):
        assert options <= known_options()
    for file in set(re.findall(r"[a-z-]+\.(?:yaml|sbatch)", text)) - {"experiment.yaml", "best.yaml"}:
        assert (CLUSTER / file).exists(), file
    assert {path.name for path in CLUSTER.iterdir()} <= set(re.findall(r"[a-z-]+\.(?:yaml|sbatch)", text))
