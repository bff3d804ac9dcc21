"""Wrong words are told the nearest right ones, in one line, with exit code 2."""

import pytest

from tests.pictures import write_folders


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["rnu", "digits"], 'Unknown command "rnu". Did you mean "run"?'),
        (["run", "digits", "--rerun", "tarin"], 'Did you mean "train"?'),
        (["run", "digits", "--until", "zzz"], 'Choose from: "acquire", "clean", "split"'),
        (["report", "opne", "digits"], 'Did you mean "open"?'),
        (["cache", "lst"], 'Did you mean "list"?'),
        (["run", "digits", "--jsn"], "Did you mean --json?"),
        (["run", "digtis"], "did you mean digits?"),
        (["run", "my-pictures", "source.folder=holiday"], "write --set source.folder=holiday"),
        (
            ["run", "my-pictures", "--set", "source.folder", "holiday"],
            "write --set source.folder=holiday",
        ),
        (["run", "digits", "--set", "model.backbone=resnet50"], "did you mean ResNet50?"),
        (["run", "digits", "--set", "trainng.epochs=5"], "did you mean training.epochs?"),
        ([], "a COMMAND is needed: one of develop, inspect, run, explain"),
        (["cache"], "see `darkroom cache --help`"),
        (["run"], "NAME requires an argument"),
    ],
)
def test_wrong_words_are_told_the_nearest_right_ones(darkroom, words, expected):
    code, out, err = darkroom(*words)
    assert (code, out) == (2, "")
    assert expected in err
    assert len(err.strip().splitlines()) == 1


def test_a_folder_that_is_not_there_names_where_it_was_looked_for(darkroom, tmp_path, monkeypatch):
    write_folders(tmp_path / "holiday", per_class=2)
    monkeypatch.chdir(tmp_path)
    code, _, err = darkroom("explain", "my-pictures", "--set", "source.folder=holliday")
    assert code == 1
    assert f"{tmp_path / 'holliday'}, found none; did you mean {tmp_path / 'holiday'}?" in err


def test_an_archive_given_as_a_folder_is_told_which_words_take_it(darkroom, tmp_path):
    (tmp_path / "new.zip").write_bytes(b"PK")
    code, _, err = darkroom("explain", "my-pictures", "--set", f"source.folder={tmp_path}/new.zip")
    assert code == 1
    assert f"--set source.kind=archive --set source.archive={tmp_path}/new.zip" in err


def test_the_version_is_told(darkroom):
    code, out, _ = darkroom("--version")
    assert code == 0
    assert out.startswith("darkroom 0.")


@pytest.mark.parametrize(
    "words",
    [["explain", "digits"], ["cache", "list"], ["report", "open", "digits"], ["report", "list"],
     ["experiments"], ["parameters", "digits"]],
)  # fmt: skip
def test_who_only_looks_makes_no_workspace(darkroom, workspace, words):
    darkroom(*words)
    assert not workspace.root.exists()


@pytest.mark.parametrize("words", [["report", "open", "digits"], ["report", "list"]])
def test_what_is_not_there_names_the_workspace(darkroom, workspace, words):
    code, _, err = darkroom(*words)
    assert code == 2
    assert str(workspace.root) in err
