"""A model used on pictures: `darkroom classify`, `darkroom serve`, and the flow `classify`."""

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
import urllib.request
import zipfile

import pandas as pd
import pytest
import yaml
from PIL import Image

from flows.experiments import DEPLOYMENTS
from storage.errors import NoUsablePictures
from tasks.classify.output_files import check_files
from tests.project import PROJECT
from tests.tasks.classify.conftest import coloured, save_model

WORDS = [sys.executable, "-m", "flows"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def darkroom(capsys):
    """Call the command in this process; (exit code, output, errors). No server is reachable."""
    from flows.command.app import main

    def call(*words):
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def album(tmp_path):
    """Four pictures in two folders, and what is none."""
    files = {
        "bees/1.png": coloured("bee"),
        "bee/2.png": coloured("bee"),
        "bee/10.png": coloured("ant"),
        "müller.1.png": coloured("müller"),
        "page.png": b"<html>",
        "notes.txt": b"hello",
    }
    for name, data in files.items():
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "album"


def numbered(path, *, inner, broken=()):
    """test1.zip, in an outer zip beside train.zip if it is the inner one."""

    def packed(files):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return buffer.getvalue()

    kinds = {n: "bee" if n % 2 else "ant" for n in range(1, 13)}
    test = packed(
        {f"test1/{n}.jpg": b"" if n in broken else coloured(kind) for n, kind in kinds.items()}
    )
    train = packed({"train/ant.1.jpg": coloured("ant")})
    outer = packed({"train.zip": train, "test1.zip": test, "sampleSubmission.csv": b"id,label"})
    path.write_bytes(outer if inner else test)
    return path


def test_each_picture_gets_a_line_and_a_verdict_where_its_name_says_what_it_is(
    darkroom, model, album
):
    code, out, err = darkroom("classify", model, album)
    assert code == 0, err
    lines = [line.removeprefix(f"{album}/") for line in out.splitlines()]
    assert [line.partition(":")[0] for line in lines] == [
        "bee/2.png  bee", "bee/10.png  ant", "bees/1.png  bee", "müller.1.png  müller",
        "page.png  undecodable",
    ]  # fmt: skip
    assert [line.rpartition("% ")[2] for line in lines[:2]] == ["(correct)", "(incorrect)"]
    assert lines[2].endswith("%")
    assert lines[3].endswith("% (correct)")
    assert "1 of 5 pictures could not be read" in err
    assert "picture's suffix: 1" in err
    assert "2 of 3 pictures are of the class" in err


def test_json_is_printed_last_and_alone(darkroom, model, album):
    code, out, err = darkroom("classify", model, album, "--json")
    assert code == 0
    result = json.loads(out)
    assert result["model"] == str(model)
    assert [one["correct"] for one in result["images"]] == [True, False, None, True, None]
    assert "(incorrect)" in err


def test_a_table_and_drawn_pictures_are_written(darkroom, model, album, tmp_path):
    table, drawn = tmp_path / "t.csv", tmp_path / "drawn"
    code, _, err = darkroom("classify", model, album, "--table", table, "--drawn", drawn)
    assert code == 0, err
    with table.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["label"] for row in rows] == ["bee", "ant", "bee", "müller", ""]
    assert float(rows[3]["probability_müller"]) == float(rows[3]["probability"])
    assert rows[4]["reason"].startswith("undecodable")
    assert sorted(path.name for path in drawn.iterdir()) == [
        "bee_10.png", "bee_2.png", "bees_1.png", "müller.1.png",
    ]  # fmt: skip
    with Image.open(drawn / "bee_2.png") as image:
        assert image.size == (400, 300)
        colours = {colour: count for count, colour in image.getcolors(100_000)}
    assert colours[(40, 200, 40)] > 0.8 * 400 * 300  # the bee is still seen
    assert len(colours) > 50  # and something is written on it


def test_a_submission_is_the_same_from_the_inner_and_the_outer_zip(darkroom, model, tmp_path):
    inner = numbered(tmp_path / "test1.zip", inner=False)
    outer = numbered(tmp_path / "all.zip", inner=True)
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    assert darkroom("classify", model, inner, "--submission", first)[0] == 0
    code, _, err = darkroom("classify", model, outer, "--only", "test1", "--submission", second)
    assert code == 0, err
    assert first.read_bytes() == second.read_bytes()
    rows = list(csv.DictReader(first.read_text().splitlines()))
    assert [row["id"] for row in rows] == [str(n) for n in range(1, 13)]
    assert all((float(row["label"]) > 0.5) == (int(row["id"]) % 2 == 1) for row in rows)


def test_a_submission_may_be_of_another_class_and_clipped_otherwise(darkroom, model, tmp_path):
    zipped = numbered(tmp_path / "test1.zip", inner=False)
    path = tmp_path / "s.csv"
    words = ("classify", model, zipped, "--submission", path, "--of", "ant", "--clip", "0.3")
    assert darkroom(*words)[0] == 0
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert {(int(row["id"]) % 2, row["label"]) for row in rows} == {(1, "0.3"), (0, "0.7")}


def test_what_cannot_be_read_is_half_in_a_submission_and_counted(darkroom, model, tmp_path):
    zipped = numbered(tmp_path / "test1.zip", inner=False, broken=(3, 11))
    path = tmp_path / "s.csv"
    code, _, err = darkroom("classify", model, zipped, "--submission", path)
    assert code == 0
    assert "2 of 12 pictures could not be read; their label in the submission is 0.5" in err
    rows = {row["id"]: row["label"] for row in csv.DictReader(path.read_text().splitlines())}
    assert rows["3"] == rows["11"] == "0.5"
    assert len(rows) == 12


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--table", "t.txt"], 2, "ends with .csv or .parquet"),
        (["--of", "ant"], 2, "--of is about a submission: add --submission"),
        (["--clip", "0.1"], 2, "--clip is about a submission: add --submission"),
        (["--submission", "s.zip"], 2, "ends with .csv, found s.zip"),
        (["--submission", "/"], 2, "ends with .csv, found /"),
        (["--submission", "n" * 300 + ".csv"], 2, "File name too long"),
        (["--table", "same.csv", "--submission", "same.csv"], 2, "same.csv for both"),
        (["--drawn", "album/drawn"], 2, "--drawn"),
        (["--drawn", "/proc"], 2, "--drawn"),
        (["none.jpg"], 1, "expected pictures at none.jpg, found nothing there"),
        (["--submission", "s.csv"], 2, "expected pictures named by their number"),
        (["--submission", "s.csv", "--clip", "0.7"], 2, "--clip"),
        (["--submission", "s.csv", "--only", "bee/", "--of", "cow"], 2, "ant, bee, müller"),
        (["--only", "wasps"], 1, "begins with 'wasps', found none: there is bee, bees"),
    ],
)
def test_wrong_words_are_said_before_anything_is_written(
    darkroom, model, album, tmp_path, monkeypatch, words, code, message
):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    found, out, err = darkroom("classify", model, album, *words)
    assert (found, out) == (code, "")
    assert message in err
    assert set(tmp_path.rglob("*")) == before


def test_a_damaged_archive_does_not_take_the_others_with_it(darkroom, model, tmp_path):
    good = numbered(tmp_path / "good.zip", inner=False)
    (tmp_path / "17.zip").write_bytes(good.read_bytes()[:-40])
    table, cut = tmp_path / "t.csv", tmp_path / "17.zip"
    code, out, err = darkroom("classify", model, good, cut, "--table", table)
    assert code == 0, err
    assert len(out.splitlines()) == 13
    assert "17.zip is not a whole zip" in out.splitlines()[-1]
    assert "1 of 13 pictures could not be read" in err
    with table.open(encoding="utf-8") as stream:
        assert [row["label"] != "" for row in csv.DictReader(stream)] == [True] * 12 + [False]

    submission = tmp_path / "s.csv"
    code, out, err = darkroom("classify", model, good, cut, "--submission", submission)
    assert (code, out) == (1, "")
    assert "17.zip is not a whole zip" in err
    assert not submission.exists()


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_nothing_that_can_be_read_is_a_failure_after_the_reasons(darkroom, model, album, words):
    page = album / "page.png"
    code, out, err = darkroom("classify", model, page, page, *words)
    assert code == 1
    assert "HTML" in out
    assert "darkroom: expected a picture that can be read, found none of 2" in err


@pytest.mark.parametrize("words", [(), ("--debug",)])
def test_names_from_archives_move_no_cursor_in_what_goes_wrong(darkroom, model, tmp_path, words):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("\x1b[2J\x1b[31mred\u202e.zip", b"no zip")
    given = (tmp_path / "evil.zip", "--submission", tmp_path / "s.csv")
    code, _, err = darkroom(*words, "classify", model, *given)
    assert code == 1
    assert "red?.zip is not a whole zip" in err
    assert "\x1b" not in err
    assert "\u202e" not in err


def environment(tmp_path):
    return os.environ | {"PYTHONPATH": str(PROJECT), "PREFECT_HOME": str(tmp_path / "prefect")}


def test_classifying_starts_and_imports_no_prefect(model, album, tmp_path):
    script = (
        "import sys\nfrom flows.command.app import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "assert 'prefect' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "classify", model, album],
        env=environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "prefect").exists()


def test_on_a_terminal_a_bar_moves_and_the_lines_still_go_to_the_output(model, album, tmp_path):
    master, terminal = pty.openpty()
    done = subprocess.run(
        [*WORDS, "classify", model, album], env=environment(tmp_path), cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=terminal, text=True, check=True,
    )  # fmt: skip
    os.close(terminal)
    seen = os.read(master, 100_000).decode()
    os.close(master)
    assert "5/5" in seen
    assert len(done.stdout.splitlines()) == 5
    assert "\x1b" not in done.stdout


def test_who_has_read_enough_gets_no_traceback(model, album, tmp_path):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*WORDS, "classify", model, album], env=environment(tmp_path), cwd=tmp_path,
        stdout=write, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(write)
    assert done.returncode == 1
    assert "Broken" not in done.stderr
    assert "Traceback" not in done.stderr


def test_the_flow_does_the_same(prefect_server, model, album, tmp_path):
    from flows.classify import classify

    table = tmp_path / "t.parquet"
    result = classify(
        model=str(model), pictures=[album], drawn=tmp_path / "drawn", table=table,
        submission=None,
    )  # fmt: skip
    assert result == {
        "model": str(model), "pictures": 5, "unreadable": 1, "claimed": 3, "correct": 2,
        "trained_on": 0,
    }  # fmt: skip
    assert len(pd.read_parquet(table)) == 5
    assert len(list((tmp_path / "drawn").iterdir())) == 4


def test_the_flow_fails_after_its_output_where_nothing_could_be_read(
    prefect_server, model, album, tmp_path
):
    from flows.classify import classify

    table = tmp_path / "t.csv"
    with pytest.raises(NoUsablePictures, match=r"found none of 1; the first: .*page\.png .*HTML"):
        classify(model=str(model), pictures=[album / "page.png"], table=table)
    assert "undecodable" in table.read_text()


def test_the_flow_takes_its_parameters_from_a_deployment_as_json():
    from flows.classify import classify

    taken = classify.validate_parameters(
        {"model": "digits", "pictures": ["a.zip"], "table": "t.csv"}
    )
    assert [str(path) for path in taken["pictures"]] == ["a.zip"]
    assert set(classify.parameters.properties) >= {
        "model", "pictures", "drawn", "table", "submission",
    }  # fmt: skip


def test_the_deployment_keeps_what_was_predicted():
    from flows.classify import classify

    listed = yaml.safe_load(DEPLOYMENTS.read_text())["deployments"]
    (pictures,) = [one for one in listed if one["entrypoint"] == "flows/classify.py:classify"]
    taken = classify.validate_parameters(pictures["parameters"])
    check_files(taken["table"], None, taken["pictures"])
    assert taken["table"].suffix == ".csv"


def test_serve_answers_until_it_is_interrupted(model, tmp_path):
    server = subprocess.Popen(
        [*WORDS, "serve", model, "--port", "0", "--max-bytes", "100000"],
        env=environment(tmp_path), cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        address = server.stdout.readline().split()[0]
        with urllib.request.urlopen(address + "openapi.json", timeout=60) as answer:
            assert json.load(answer)["paths"]
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=60)
    finally:
        server.kill()
    assert server.returncode == 0, out + err
    assert "Traceback" not in err


def test_serve_says_which_model_is_missing(darkroom):
    code, _, err = darkroom("serve", "nowhere")
    assert code == 2
    assert "no model at nowhere" in err
