"""Runs as processes of their own: kills, races, code changes, what a cached run touches."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from uuid import UUID

import pytest

from tests.flows.conftest import executed, parameters
from tests.pictures import write_folders
from tests.project import PROJECT

WATCHED_RUN = """
import json, sys
opened = []
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        opened.append(arguments[0])
sys.addaudithook(hook)
from flows.command.app import main
code = main(sys.argv[1:])
pictures = [path for path in opened if path.endswith(".jpg")]
print(json.dumps({"code": code, "pictures": pictures, "tensorflow": "tensorflow" in sys.modules}))
"""


def small(pictures, **training):
    tree = parameters(pictures)
    tree["training"] |= training
    return tree


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_cached_run_opens_no_picture_and_imports_no_tensorflow(
    developed, pictures, prefect_server, tmp_path
):
    assert executed(developed)[0] == "acquire"
    experiments = {"deployments": [{"name": "small", "parameters": parameters(pictures)}]}
    (tmp_path / "prefect.yaml").write_text(json.dumps(experiments))
    watched = subprocess.run(
        [sys.executable, "-c", WATCHED_RUN, "run", "small", "--json", "--file",
         tmp_path / "prefect.yaml"],
        cwd=PROJECT, env=os.environ | {"PREFECT_API_URL": prefect_server},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    result, seen = map(json.loads, watched.stdout.strip().splitlines()[-2:])
    assert executed(result) == []
    assert seen == {"code": 0, "pictures": [], "tensorflow": False}


def test_a_run_killed_while_extracting_loses_at_most_one_shard(
    command, answered, tmp_path, workspace
):
    tree = parameters(write_folders(tmp_path / "pictures", per_class=300))
    process = command("run", "small", "--until", "extract", experiment=tree)
    wait_for(lambda: list(workspace.features.glob("*/*.arrow")))
    kill(process)
    kept = len(list(workspace.features.glob("*/[!.]*.arrow")))
    code, result, err = answered("run", "small", "--until", "extract", "--json", experiment=tree)
    assert code == 0, err
    assert executed(result) == ["extract"]
    assert result["counts"]["extracted"] == 600 - 256 * kept


def test_a_run_killed_while_training_goes_on_from_its_last_epoch(
    command, answered, pictures, developed, workspace
):
    known = set(workspace.models.glob("*/training.json"))
    tree = small(pictures, epochs=60, seconds_between_checkpoints=0.001)
    process = command("run", "small", experiment=tree)
    wait_for(lambda: list(workspace.unfinished.glob("train-*/0/state-*/history.json")))
    kill(process)
    states = workspace.unfinished.glob("train-*/0/state-*/history.json")
    done = max(len(json.loads(state.read_text())) for state in states)
    assert 1 <= done < 60
    tree["training"]["seconds_between_checkpoints"] = 60.0  # without effect but on the time
    code, result, err = answered("run", "small", "--json", experiment=tree)
    assert code == 0, err
    assert executed(result) == ["train", "evaluate", "publish"]
    (training,) = set(workspace.models.glob("*/training.json")) - known
    epochs = [row["epoch"] for row in json.loads(training.read_text())["history"][0]]
    assert epochs == list(range(1, 61))
    assert not list(workspace.unfinished.glob("train-*"))


def test_a_network_killed_at_epoch_7_of_10_trains_epochs_8_to_10(
    command, answered, pictures, developed, workspace
):
    tree = small(pictures, epochs=10, seconds_between_checkpoints=0.001)
    tree["model"] = {
        "kind": "network", "network": "baseline_convnet", "image_size": 48, "precision": "float32"
    }  # fmt: skip
    # Enough work per epoch that it can be caught in time.
    tree["training"] |= {"steps_per_epoch": 40, "augmentation": {"rotation": 20}}
    process = command("run", "small", experiment=tree)
    wait_for(lambda: epochs_saved(workspace) >= 7)
    kill(process)
    done = epochs_saved(workspace)
    assert 7 <= done < 10
    code, result, err = answered("run", "small", "--json", experiment=tree)
    assert code == 0, err
    assert result["counts"]["epochs"] == 10 - done


def epochs_saved(workspace):
    states = workspace.unfinished.glob("train-*/0/state-*/history.json")
    return max((len(json.loads(state.read_text())) for state in states), default=0)


def test_two_runs_at_once_compute_each_step_once(command, pictures):
    tree = small(pictures)
    both = [command("run", "small", "--json", experiment=tree) for _ in range(2)]
    results = []
    for process in both:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        results.append(json.loads(out.strip().splitlines()[-1]))
    done = sorted(executed(results[0]) + executed(results[1]))
    assert done == sorted(["acquire", "clean", "split", "extract", "train", "evaluate", "publish"])
    assert results[0]["report"] == results[1]["report"]


@pytest.fixture
def copied_project(tmp_path):
    """A copy of the code, to be changed."""
    copy = tmp_path / "project"
    for room in ("flows", "tasks", "storage", "deployments"):
        shutil.copytree(PROJECT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def rewrite(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def test_only_code_that_can_change_a_result_reruns_its_steps(
    finished, pictures, developed, copied_project
):
    options = {"project": copied_project, "experiment": small(pictures)}
    fit = copied_project / "tasks" / "train" / "fit.py"
    rewrite(
        fit,
        "def fit(",
        "# A comment, and a docstring below, say the same anew.\ndef fit(",
    )
    rewrite(fit, '"""Training of one model, resumable."""', '"""How one model is trained."""')
    _, said, _ = finished("explain", "small", "--json", **options)
    assert {step["state"] for step in said["steps"]} == {"cached"}

    rewrite(fit, "batch_size=64", "batch_size=63")
    _, said, _ = finished("explain", "small", "--json", **options)
    states = {step["name"]: (step["state"], step["why"]) for step in said["steps"]}
    assert states["train"] == ("run", "its code changed")
    assert [name for name, (state, _) in states.items() if state == "cached"] == [
        "acquire", "clean", "split", "extract",
    ]  # fmt: skip
    _, result, err = finished("run", "small", "--json", **options)
    # The head comes out the same, so that nothing after it runs.
    assert executed(result) == ["train"], err


def test_changed_decoding_extracts_every_picture_again(
    finished, pictures, developed, copied_project
):
    options = {"project": copied_project, "experiment": small(pictures)}
    words = ("run", "small", "--until", "extract", "--json")
    pixels = copied_project / "tasks" / "pictures" / "resizing.py"
    rewrite(pixels, "INTER_LINEAR", "INTER_AREA")
    code, result, err = finished(*words, **options)
    assert code == 0, err
    # Copies are found in resized pictures too; none is, and so the split stays as it was.
    assert executed(result) == ["clean", "extract"]
    assert result["counts"]["extracted"] == 24


# A terminal signals every process of the group, Prefect's server among them; `kill` only one.
@pytest.mark.parametrize(
    ("signals", "number"),
    [(os.killpg, "SIGINT"), (os.kill, "SIGTERM"), (os.killpg, "SIGHUP")],
)
def test_a_run_that_is_stopped_takes_its_own_server_with_it(
    command, pictures, developed, workspace, signals, number
):
    tree = small(pictures, epochs=3000, seconds_between_checkpoints=0.001)
    process = command("run", "small", experiment=tree, start_new_session=True, served=False)
    wait_for(lambda: list(workspace.unfinished.glob("train-*/0/state-*/history.json")))
    signals(process.pid, signal.Signals[number])
    _, err = process.communicate(timeout=60)
    assert err.strip().splitlines()[-1] == "stopped; run the same again to go on where it was"
    assert process.returncode == 130
    assert "ConnectError" not in err
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_run_that_was_killed_is_shown_as_crashed_by_the_next(
    command, answered, pictures, workspace
):
    from prefect.client.orchestration import get_client

    tree = small(pictures, epochs=3000, seconds_between_checkpoints=0.001)
    process = command("run", "small", experiment=tree)
    wait_for(lambda: list(workspace.unfinished.glob("train-*/0/state-*/history.json")))
    (lock,) = workspace.locks.glob("flow-run-*.lock")
    run = UUID(lock.stem.removeprefix("flow-run-").partition(".")[0])
    kill(process)
    half = workspace.models / f".partial-{lock.stem.partition('.')[2]}-1"
    half.mkdir(parents=True)
    (half / "model.keras").write_bytes(b"half of it")
    other = workspace.models / ".partial-0123456789abcdef-1"
    other.mkdir()
    assert get_client(sync_client=True).read_flow_run(run).state.is_running()
    code, _, err = answered("run", "small", "--until", "clean", experiment=tree)
    assert code == 0
    assert err.count("an earlier run here ended without a word") == 1
    state = get_client(sync_client=True).read_flow_run(run).state
    assert state.is_crashed()
    assert "ended without a word" in state.message
    assert not half.exists()
    assert other.exists()  # whose process may be alive
    assert list(workspace.locks.glob("flow-run-*.lock")) == []


def test_ctrl_c_leaves_a_run_that_can_go_on(command, answered, pictures, developed, workspace):
    tree = small(pictures, epochs=100, seconds_between_checkpoints=0.001)
    process = command("run", "small", experiment=tree)
    wait_for(lambda: list(workspace.unfinished.glob("train-*/0/state-*/history.json")))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "go on where it was" in err
    assert "Traceback" not in err
    tree["training"]["seconds_between_checkpoints"] = 60.0
    assert answered("run", "small", "--json", experiment=tree)[0] == 0
