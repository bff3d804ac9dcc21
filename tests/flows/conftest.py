"""A real Prefect server for the flows, and a small experiment that runs in seconds."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from storage.workspace import HOME_VARIABLE
from tests.pictures import write_folders
from tests.project import PROJECT


def require_light(use):
    """Lines that call `main` end well in a process of their own, and nothing heavy is imported."""
    script = (
        f"import sys\nfrom flows.command.app import main\n{use}\n"
        "assert not {'prefect', 'tensorflow', 'keras', 'cv2', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def prefect_server():
    """The address of a temporary Prefect server, used by this process and its children."""
    from prefect.logging.configuration import setup_logging
    from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY
    from prefect.settings import temporary_settings as settings
    from prefect.testing.utilities import prefect_test_harness

    # Setting up closes every handler; absl's, which Keras brings, then closes the stream it was
    # made with, unless that is `sys.stderr`: under `capsys` it would be pytest's own.
    setup_logging()
    with (
        prefect_test_harness(server_startup_timeout=120),
        settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        yield PREFECT_API_URL.value()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of 24 small pictures in two classes, for tests that leave it as it is."""
    return write_folders(tmp_path_factory.mktemp("shared") / "pictures", per_class=12)


@pytest.fixture
def experiment(pictures):
    """Parameters of an experiment on 24 small pictures in two classes."""
    from flows.parameters import Experiment

    return Experiment.model_validate(parameters(pictures))


def parameters(folder: Path) -> dict:
    return {
        "experiment": "small",
        "source": {"kind": "folders", "folder": str(folder)},
        "split": {"fractions": {"train": 0.5, "validation": 0.25, "test": 0.25}},
        "model": {"image_size": 32, "precision": "float32", "head": {"layers": [{"units": 8}]}},
        "training": {"epochs": 3, "batch_size": 4},
    }


@pytest.fixture(scope="session")
def run(prefect_server):
    """Run an experiment in this process; returns what `--json` prints."""
    from flows.pipeline import pipeline

    def run_experiment(experiment, rerun=(), until=None):
        fields = {name: getattr(experiment, name) for name in type(experiment).model_fields}
        return pipeline(**fields, rerun=list(rerun), until=until)

    return run_experiment


@pytest.fixture(scope="session")
def first_run(run, pictures, tmp_path_factory):
    """The first run of `experiment`, done once for all tests: its workspace, what it gave."""
    from flows.parameters import Experiment

    home = tmp_path_factory.mktemp("first") / "workspace"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(home))
        return home, run(Experiment.model_validate(parameters(pictures)))


@pytest.fixture(scope="session")
def second_run(run, first_run, pictures, tmp_path_factory):
    """A run with another number of epochs after the first, done once for all tests."""
    from flows.parameters import Experiment

    tree = parameters(pictures)
    tree["training"]["epochs"] = 4
    home = tmp_path_factory.mktemp("second") / "workspace"
    shutil.copytree(first_run[0], home, symlinks=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(home))
        return home, run(Experiment.model_validate(tree))


def moved(made, workspace):
    """A finished workspace as this test's, and what its last run gave."""
    home, result = made
    shutil.copytree(home, workspace.root, symlinks=True)
    return json.loads(json.dumps(result).replace(str(home), str(workspace.root)))


@pytest.fixture
def developed_twice(second_run, workspace):
    """The test's workspace as the second run leaves it; what that run gave."""
    return moved(second_run, workspace)


@pytest.fixture
def developed(first_run, workspace):
    """The test's workspace as the first run of `experiment` leaves it; what that run gave."""
    return moved(first_run, workspace)


@pytest.fixture(autouse=True)
def own_environment():
    """What the command puts into the environment of its process ends with the test."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory):
    """Prefect's home for servers of one's own: its database is made once."""
    return tmp_path_factory.getbasetemp() / "prefect-home"


@pytest.fixture
def listed(tmp_path):
    """The words that choose an experiment of these parameters, and no other."""
    file = tmp_path / "prefect.yaml"

    def write(tree):
        if tree is None:
            return []
        content = {"deployments": [{"name": tree["experiment"], "parameters": tree}]}
        file.write_text(json.dumps(content))
        return ["--file", str(file)]

    return write


@pytest.fixture
def command(prefect_server, prefect_home, listed):
    """Start the `darkroom` command in a process of its own, from `project` if given.

    Not `served`, it starts a Prefect server by itself.
    """

    def start(*words, project=PROJECT, experiment=None, served=True, **popen):
        words = [*map(str, words), *listed(experiment)]
        environment = os.environ | {"PYTHONPATH": str(project)}
        if project != PROJECT:  # its files change faster than bytecode notices
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        own = {
            "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
            "PREFECT_HOME": str(prefect_home),
        }
        environment |= {"PREFECT_API_URL": prefect_server} if served else own
        return subprocess.Popen(
            [sys.executable, "-m", "flows", *words],
            cwd=project, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **popen,
        )  # fmt: skip

    return start


@pytest.fixture
def finished(command):
    """Run the command to its end; (exit code, last line as JSON or None, standard error)."""

    def finish(*words, **options):
        process = command(*words, **options)
        out, err = process.communicate(timeout=300)
        return process.returncode, last_object(out, words), err

    return finish


@pytest.fixture
def darkroom(capsys):
    """Call the command in this process; (exit code, output, errors)."""
    from flows.command.app import main

    def call(*words):
        handler = signal.getsignal(signal.SIGTERM)
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        finally:
            signal.signal(signal.SIGTERM, handler)
        return (code, *capsys.readouterr())

    return call


@pytest.fixture
def answered(prefect_server, listed, darkroom):
    """As `finished`, in this process: for what a command gives, not for how its process behaves."""

    def answer(*words, experiment=None):
        code, out, err = darkroom(*words, *listed(experiment))
        return code, last_object(out, words), err

    return answer


def last_object(out: str, words) -> dict | None:
    """What `--json` prints last."""
    lines = out.strip().splitlines()
    return json.loads(lines[-1]) if "--json" in words and lines else None


def executed(result: dict) -> list[str]:
    """Names of the steps that a run executed."""
    return [step["name"] for step in result["steps"] if step["state"] == "executed"]
