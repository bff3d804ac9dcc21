"""A run with nothing to do answers from what is stored; one with work to do starts Prefect."""

import json
import os
import subprocess
import sys

import pytest

from tests.flows.conftest import parameters
from tests.project import PROJECT

SCRIPT = """
import json, sys
from flows.command.app import main
code = main({words!r})
print(json.dumps(sorted({{"prefect", "tensorflow", "keras", "scipy"}} & set(sys.modules))))
sys.exit(code)
"""


@pytest.fixture
def alone(pictures, tmp_path):
    """Run the command in a process that knows of no server; (code, JSON lines, errors)."""
    content = {"deployments": [{"name": "small", "parameters": parameters(pictures)}]}
    (tmp_path / "prefect.yaml").write_text(json.dumps(content))
    environment = {name: text for name, text in os.environ.items() if name != "PREFECT_API_URL"}
    environment |= {"PREFECT_HOME": str(tmp_path / "prefect"), "PYTHONPATH": str(PROJECT)}

    def start(*words):
        words = [*words, "--file", str(tmp_path / "prefect.yaml")]
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT.format(words=words)],
            cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        return done.returncode, list(map(json.loads, done.stdout.splitlines())), done.stderr

    return start


def test_with_everything_stored_no_server_is_started(alone, developed, tmp_path):
    code, (result, imported), err = alone("run", "small", "--json")
    assert code == 0, err
    assert {step["state"] for step in result["steps"]} == {"cached"}
    told = ("metrics", "model", "report", "gate", "experiment")
    assert {name: result[name] for name in told} == {name: developed[name] for name in told}
    assert result["counts"] == developed["counts"] | {"decoded": 0, "extracted": 0, "epochs": 0}
    assert result["published"] == "yes, as before"
    assert err.count("nothing changed") == 7
    assert imported == []
    assert not (tmp_path / "prefect").exists()  # a server would keep its database there


def test_a_run_that_stops_early_needs_no_server_either(alone, developed, tmp_path):
    code, (result, imported), err = alone("run", "small", "--json", "--until", "split")
    assert code == 0, err
    assert [step["name"] for step in result["steps"]] == ["acquire", "clean", "split"]
    assert (result["metrics"], imported) == (None, [])


def test_what_would_run_is_told_without_prefect(alone, developed):
    words = ("explain", "small", "--json", "--set", "training.epochs=4")
    code, (told, imported), err = alone(*words)
    assert code == 0, err
    assert [step["state"] for step in told["steps"]][:5] == ["cached"] * 4 + ["run"]
    assert imported == []


def test_another_experiment_on_the_same_pictures_keeps_its_own_records(alone, developed, workspace):
    code, (result, _), err = alone("run", "small", "--json", "--until", "clean", "--set",
                                   "experiment=other")  # fmt: skip
    assert code == 0, err
    assert [step["state"] for step in result["steps"]] == ["cached", "cached"]
    assert sorted(path.name for path in (workspace.records / "other").iterdir()) == [
        "acquire", "clean",
    ]  # fmt: skip


NAMED = "http://127.0.0.1:9/api"  # where nobody answers


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".env", f"PREFECT_API_URL={NAMED}\n"),
        ("prefect.toml", f'[api]\nurl = "{NAMED}"\n'),
        ("pyproject.toml", f'[tool.prefect]\napi.url = "{NAMED}"\n'),
    ],
)
def test_a_server_named_in_a_file_that_prefect_reads_is_the_one_that_is_asked(
    tmp_path, pictures, file, text
):
    content = {"deployments": [{"name": "small", "parameters": parameters(pictures)}]}
    (tmp_path / "prefect.yaml").write_text(json.dumps(content))
    (tmp_path / file).write_text(text)
    environment = {name: text for name, text in os.environ.items() if name != "PREFECT_API_URL"}
    environment |= {"PREFECT_HOME": str(tmp_path / "prefect"), "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        [sys.executable, "-m", "flows", "run", "small", "--file", "prefect.yaml"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"Failed to reach API at {NAMED}" in done.stderr.splitlines()[-1]
