"""The `darkroom` command: words, exit codes, messages."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.conftest import parameters, require_light
from tests.pictures import LONG_AGO, picture, write_folders
from tests.project import PROJECT


def test_help_teaches_by_examples(darkroom):
    code, out, _ = darkroom("--help")
    assert code == 0
    assert "darkroom develop holiday " in out


def test_help_needs_neither_prefect_nor_tensorflow():
    require_light("try: main(['--help'])\nexcept SystemExit: pass")


def test_experiments_are_listed(darkroom):
    code, out, _ = darkroom("experiments")
    assert code == 0
    for name in ("digits", "cats-and-dogs-small", "cats-and-dogs-rescale", "pokedex-vgg16"):
        assert name in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "digit"], "did you mean digits?"),
        (["run", "digits", "--set", "split.sede=7"], "split.sede"),
        (["run", "digits", "--set", "split"], "--set takes NAME=VALUE"),
        (["run", "digits", "--set", "split.fractions.train=0.9"], "should be 1, found 1.3"),
        (["run", "digits", "--set", "model.backbone=VGG17"], "unknown backbone 'VGG17'"),
        (["run", "digits", "--set", "training.epochs=0"], "training.epochs"),
        (["run", "digits", "--rerun", "trian"], "trian"),
        (["classify", "nowhere", "x.jpg"], "no model at nowhere"),
        (["cache", "drop"], "EXPERIMENT requires an argument"),
        (["cache", "gc", "digits"], "too many words: 'digits' is left over"),
        (["cache", "drop", "digits"], "nothing is stored of an experiment 'digits'"),
        (["serve", "nowhere", "--max-bytes", "-4"], "--max-bytes takes 1 or more, found -4"),
        (["explain", "digits", "--file", "missing.yaml"], "missing.yaml"),
    ],
)
def test_wrong_words_exit_with_2_and_say_what_is_wrong(darkroom, words, message):
    code, _, err = darkroom(*words)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_a_failed_run_exits_with_1_and_one_line(finished, tmp_path):
    tree = parameters(tmp_path / "nothing")
    code, result, err = finished("run", "small", "--json", experiment=tree)
    assert (code, result) == (1, None)
    last = err.strip().splitlines()[-1]
    assert last.startswith("darkroom: expected a folder of class folders")
    assert "--set source.folder=" in last
    assert "Traceback" not in err


def test_a_closed_gate_prints_the_object_all_the_same(answered, finished, developed, pictures):
    tree = parameters(pictures)
    open_gate = answered("run", "small", "--json", experiment=tree)
    assert (open_gate[0], open_gate[1]["gate"]) == (0, None)
    tree["training"]["epochs"] = 1
    tree["publish"] = {"gate": {"floor": 1.0}}
    code, result, err = finished("run", "small", "--json", experiment=tree)
    assert code == 1
    assert "below the floor of 100.0%" in result["gate"]
    assert result["metrics"]["test"]["accuracy"]["mean"] < 1
    assert Path(result["report"]).is_file()
    assert [step["name"] for step in result["steps"]][-1] == "publish"
    assert err.strip().splitlines()[-1] == f"darkroom: {result['gate']}"
    assert "Traceback" not in err


def test_a_closed_gate_shows_people_what_was_measured(
    darkroom, prefect_server, listed, developed, pictures, tmp_path
):
    tree = parameters(pictures)
    tree["training"]["epochs"] = 1
    tree["publish"] = {"gate": {"floor": 1.0}}
    code, out, err = darkroom("run", "small", *listed(tree))
    assert code == 1, err
    assert "test accuracy" in out
    assert "report.html" in out
    # The report says how to run this again, with the file that the experiment is in.
    (report,) = re.findall(r"file://(\S+report\.html)", out)
    assert f"--file {tmp_path / 'prefect.yaml'}" in Path(report).read_text()


def test_debug_shows_the_traceback(finished, tmp_path):
    tree = parameters(tmp_path / "nothing")
    _, _, err = finished("--debug", "run", "small", experiment=tree)
    assert "SourceMissing" in err
    assert "Traceback" in err


def test_explain_runs_nothing(darkroom, tmp_path, workspace):
    write_folders(tmp_path / "pictures", per_class=2)
    file = tmp_path / "prefect.yaml"
    tree = parameters(tmp_path / "pictures")
    file.write_text(json.dumps({"deployments": [{"name": "small", "parameters": tree}]}))
    code, out, _ = darkroom("explain", "small", "--file", file)
    assert code == 0
    assert out.split()[:4] == ["acquire", "run", "first", "run"]
    assert not workspace.images.exists()
    assert not workspace.records.exists()


def test_cache_commands_list_verify_and_collect(answered, darkroom, developed, pictures, workspace):
    code, out, _ = darkroom("cache", "list")
    assert code == 0
    assert "images" in out
    assert darkroom("cache", "verify")[:2] == (0, "everything is whole\n")

    stray = workspace.manifests / ("0" * 64 + ".parquet")
    stray.write_bytes(b"PAR1 nobody needs this PAR1")
    assert darkroom("cache", "verify")[0] == 1
    assert "nothing to remove" in darkroom("cache", "gc", "--yes")[1]
    os.utime(stray, (LONG_AGO, LONG_AGO))
    code, out, _ = darkroom("cache", "gc")
    assert "add --yes" in out
    assert stray.exists()
    assert darkroom("cache", "gc", "--yes")[0] == 0
    assert not stray.exists()
    assert "nothing to remove" in darkroom("cache", "gc", "--yes")[1]

    code, result, _ = answered("run", "small", "--json", experiment=parameters(pictures))
    assert {step["state"] for step in result["steps"]} == {"cached"}


def test_classify_names_pictures_and_says_why_it_cannot(finished, developed, tmp_path):
    good, bad = tmp_path / "good.jpg", tmp_path / "bad.jpg"
    good.write_bytes(picture(77))
    bad.write_bytes(b"<html>")
    code, result, err = finished("classify", "small", good, bad, "--json")
    assert code == 0, err
    assert result["images"][0]["label"] in ("ant", "bee")
    assert 0.5 <= result["images"][0]["probability"] <= 1
    assert "HTML" in result["images"][1]["reason"]


def test_a_prefect_server_that_does_not_answer_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/api"
        environment = os.environ | {"PREFECT_API_URL": address}
        command = [sys.executable, "-m", "flows", "run", "digits"]
        done = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"darkroom: Failed to reach API at {address}")
    assert "unset PREFECT_API_URL" in line


def test_what_has_no_label_is_named_on_the_terminal(command, tmp_path):
    folder = write_folders(tmp_path / "pictures", per_class=12)
    (folder / "loose\x1b[31m.jpg").write_bytes(picture(5))
    (folder / "wasp").mkdir()
    process = command("run", "small", "--until", "clean", experiment=parameters(folder))
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    (line,) = [line for line in out.splitlines() if "no label" in line]
    assert "wasp/ (empty folder)" in line
    assert "loose" in line
    assert "\x1b" not in out


def test_help_of_a_command_says_what_its_words_take(darkroom):
    code, out, _ = darkroom("run", "--help")
    text = " ".join(out.replace("│", " ").split())
    assert code == 0
    assert "Usage: darkroom run [OPTIONS] NAME" in text
    assert "choices: acquire, clean, split, extract, train, evaluate, publish" in text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_the_words(darkroom, shell):
    code, out, _ = darkroom("completion", shell)
    assert code == 0
    for word in ("take-back", "experiments", "rerun"):
        assert word in out
