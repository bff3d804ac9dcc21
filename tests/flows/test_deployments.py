"""Experiments as deployments: a real server, a real worker, `prefect deployment run`."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import yaml

from flows.experiments import DEPLOYMENTS, deployments, load
from tests.project import PROJECT

PREFECT = Path(sys.executable).parent / "prefect"


@pytest.fixture
def prefect_environment(prefect_server, tmp_path):
    """What a worker and a client of one Prefect server share."""
    return os.environ | {
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_API_URL": prefect_server,
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PYTHONPATH": str(PROJECT),
    }


@pytest.fixture
def running(prefect_environment, tmp_path):
    """Start a long-lived prefect command; all are ended with the test."""
    started = []

    def start(*words):
        with (tmp_path / f"{words[0]}.log").open("wb") as log:
            process = subprocess.Popen(
                [PREFECT, *words], env=prefect_environment, cwd=PROJECT,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        started.append(process)

    yield start
    for process in reversed(started):
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ask(url, path, body):
    request = urllib.request.Request(
        url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_a_deployed_run_completes_and_leaves_its_artifacts(
    prefect_environment, running, pictures, workspace
):
    url = prefect_environment["PREFECT_API_URL"]

    def prefect(*words):
        done = subprocess.run(
            [PREFECT, "--no-prompt", *words], env=prefect_environment, cwd=PROJECT,
            capture_output=True, text=True, timeout=500, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    prefect("work-pool", "create", "darkroom", "--type", "process")
    prefect("deploy", "--prefect-file", "deployments/prefect.yaml", "--all")
    running("worker", "start", "--pool", "darkroom")
    folder = {"source.kind": "folders", "source.folder": str(pictures)}
    small = {"model.image_size": 32, "training.epochs": 5, "training.repeats": 1}
    changed = f"set={json.dumps(folder | small)}"
    prefect("deployment", "run", "pipeline/digits", "--watch", "-p", changed)

    deployed = {"flow_runs": {"deployment_id": {"is_null_": False}}}
    (flow_run,) = ask(url, "/flow_runs/filter", deployed)
    assert flow_run["state"]["type"] == "COMPLETED"
    keys = {artifact["key"] for artifact in ask(url, "/artifacts/filter", {})}
    assert {"digits-summary", "digits-metrics", "digits-report"} <= keys
    assert (workspace.reports / "digits" / "latest" / "report.html").is_file()
    (training,) = workspace.models.glob("*/training.json")
    assert len(json.loads(training.read_text())["history"][0]) == 5  # what `set` changed
    found = ask(url, "/deployments/filter", {})
    names = {deployment["name"] for deployment in found}
    schedules = [schedule for deployment in found for schedule in deployment["schedules"]]
    assert set(deployments()) <= names
    assert {schedule["schedule"]["cron"] for schedule in schedules} >= {"0 3 * * *", "0 4 * * 1"}


def test_every_experiment_has_valid_parameters_and_a_description():
    for name, deployment in deployments().items():
        assert load(name, []).experiment == name
        assert deployment["description"].strip()


def test_every_deployment_runs_a_flow_that_exists():
    for deployment in yaml.safe_load(DEPLOYMENTS.read_text())["deployments"]:
        file, _, flow = deployment["entrypoint"].partition(":")
        assert f"def {flow}(" in (PROJECT / file).read_text()
