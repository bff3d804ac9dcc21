"""`darkroom inspect` and `darkroom develop`: one word for whatever pictures somebody has."""

import json
import shutil
from pathlib import Path

import pytest

from storage.errors import ParameterError, SourceMissing
from tests.pictures import picture, write_folders, write_kaggle_zip


def split_folders(root, **numbers):
    """Split folders with so many pictures of each class."""
    first = 0
    for split, number in numbers.items():
        write_folders(root / split, number, first=first)
        first += number
    return root


def test_inspect_says_what_is_there_and_how_to_take_it(darkroom, tmp_path, monkeypatch):
    folder = split_folders(tmp_path / "holiday", train=3, valid=2)
    (folder / "notes.txt").write_text("hello")
    monkeypatch.chdir(tmp_path)
    code, out, _ = darkroom("inspect", "holiday")
    assert code == 0
    assert "holiday: 11 files, 10 pictures" in out
    assert "understood as 2 class folders, in split folders (train/, valid/)" in out
    assert "         3          2  ant\n         3          2  bee" in out
    assert "1 not a picture, its name has no picture suffix: notes.txt" in out
    assert "darkroom develop holiday\n" in out
    assert not (tmp_path / "workspace").exists()


def test_inspect_prints_json(darkroom, tmp_path):
    path = write_kaggle_zip(tmp_path / "pets.zip", 3)
    code, out, _ = darkroom("inspect", str(path), "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["files"], found["pictures"]) == (7, 6)
    assert found["classes"] == {"cat": {"": 3}, "dog": {"": 3}}
    assert found["tables"] == [{"name": "sampleSubmission.csv", "columns": ["id", "label"]}]
    assert found["problem"] == ""


def test_inspect_of_what_cannot_be_taken_says_what_would_help(darkroom, tmp_path):
    folder = write_folders(tmp_path / "set", 2)
    code, out, _ = darkroom("inspect", str(folder / "ant"))
    assert code == 0
    assert "cannot be taken as it is: expected two classes at least, found 1. A label is" in out
    assert f"say source.folder={folder}" in out
    assert "take it with" not in out


def test_inspect_writes_the_experiment(darkroom, tmp_path, workspace):
    folder = write_folders(tmp_path / "two words", 8)
    file = tmp_path / "mine.yaml"
    code, out, _ = darkroom("inspect", str(folder), "--write", str(file), "--set", "split.seed=3")
    assert code == 0
    assert f"wrote {file}: darkroom run 'two words' --file {file}" in out
    code, out, _ = darkroom("explain", "two words", "--file", str(file))
    assert code == 0
    assert "acquire" in out
    code, _, err = darkroom("inspect", str(folder), "--write", str(file))
    assert code == 2
    assert "is there already" in err


def test_the_right_number_of_classes_is_shown(darkroom, tmp_path):
    folder = write_folders(tmp_path / "many", 1, [f"class {i:02}" for i in range(25)])
    _, out, _ = darkroom("inspect", str(folder))
    assert "class 19" in out
    assert "class 20" not in out
    assert "and 5 classes more" in out


SMALL = (
    "--set", "model.image_size=32", "--set", "training.epochs=2", "--set",
    "model.precision=float32",
)  # fmt: skip


def test_develop_is_the_whole_thing_and_again_a_refresh(answered, darkroom, tmp_path, workspace,
                                                        prefect_server):  # fmt: skip
    folder = write_folders(tmp_path / "holiday", 8)
    code, out, err = darkroom("develop", str(folder), *SMALL, "--json")
    assert code == 0
    result = json.loads(out)
    assert result["experiment"] == "holiday"
    assert result["remarks"][0] == "understood as 2 class folders"
    plan = err.splitlines()
    start = plan.index("holiday: 2 class folders")
    assert plan[start + 1] == "  16 pictures of 2 classes: ant (8), bee (8)"
    assert plan[start + 2].startswith("  split sticky, train 70%")
    assert plan[start + 3] == f"  results go to {workspace.root}"
    said = "holiday: the best of several linear heads on EfficientNetLite0 at 32 pixels"
    assert any(line.startswith(said) for line in plan[start + 4 :])
    for number in (8, 9):
        (folder / "ant" / f"ant.{number}.jpg").write_bytes(picture(number))
    again = json.loads(darkroom("develop", str(folder), *SMALL, "--json")[1])
    assert again["counts"]["extracted"] == 2
    other = write_folders(tmp_path / "elsewhere" / "holiday", 8)
    code, _, err = darkroom("develop", str(other), *SMALL)
    assert code == 2
    assert f"holiday is the experiment of other pictures, {folder}" in err
    assert "--name" in err


def test_develop_takes_splits_that_are_given(darkroom, tmp_path, workspace, prefect_server):
    folder = split_folders(tmp_path / "pets", train=6, validation=2, test=2)
    shutil.copy(folder / "train" / "ant" / "ant.0.jpg", folder / "test" / "ant" / "again.jpg")
    code, out, err = darkroom("develop", str(folder), *SMALL, "--json")
    assert code == 0
    assert "  split as given (test, train, validation)" in err
    result = json.loads(out)
    assert result["metrics"]["test"]["images"] == 5
    assert result["counts"]["left_out"] == 1
    assert any(
        "groups of copies cross the given splits: 1 of train" in one for one in result["remarks"]
    )
    page = Path(result["report"]).read_text()
    assert "understood as 2 class folders, in split folders" in page
    assert "groups of copies cross the given splits" in page


def test_without_a_list_for_train_it_is_what_no_list_names(
    darkroom, tmp_path, workspace, prefect_server
):
    folder = write_folders(tmp_path / "set", per_class=12)
    listed = [f"{label}/{label}.{i}.jpg" for label in ("ant", "bee") for i in (0, 1, 2)]
    (tmp_path / "test.txt").write_text("\n".join(listed))
    words = ["run", "my-pictures", "--set", f"source.folder={folder}", "--until", "split", "--json"]
    code, out, err = darkroom(*words, "--set", f"split.lists={{test: {tmp_path}/test.txt}}")
    assert code == 0, err
    result = json.loads(out)
    assert (result["counts"]["images"], result["counts"]["left_out"]) == (24, 0)
    table = next((workspace.root / "splits").glob("*/test"))
    assert sorted(path.name for path in table.glob("*/*")) == [name[4:] for name in listed]
    assert result["remarks"][1] == "no validation is given: 4 pictures of train are it"


def test_develop_of_what_cannot_be_understood_ends_before_anything_runs(darkroom, tmp_path,
                                                                        workspace):  # fmt: skip
    folder = tmp_path / "flat"
    folder.mkdir()
    (folder / "1.jpg").write_bytes(picture(1))
    code, _, err = darkroom("develop", str(folder))
    assert code == 1
    assert "source.label_from=folder" in err
    assert "source.label_csv" in err
    assert not workspace.root.exists()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("holiday", "holiday"), ("pets.zip", "pets"), ("pets.tar.gz", "pets"),
        ("labels.csv", "labels"),
        ("train-00000.tfrecord", "train-00000"), ("a.b.zip", "a.b"),
        ("https://example.org/x/animals.tar.bz2?download=1", "animals"),
        ("https://example.org", "pictures"),
    ],
)  # fmt: skip
def test_an_experiment_is_called_as_its_pictures(path, name, tmp_path, monkeypatch):
    from flows.command.own_pictures import name_for

    monkeypatch.chdir(tmp_path)
    (tmp_path / "holiday").mkdir()
    assert name_for(path) == name


def test_what_is_named_decides_the_kind_of_source(tmp_path):
    from flows.command.own_pictures import experiment_for

    folder = write_folders(tmp_path / "x", 1)
    (tmp_path / "x" / "labels.csv").write_text("a,b\n")
    (tmp_path / "x.zip").write_bytes(b"")
    kinds = {
        str(folder): "folders", str(folder / "labels.csv"): "folders",
        str(tmp_path / "x.zip"): "archive", "https://example.org/a.zip": "web_archive",
    }  # fmt: skip
    for path, kind in kinds.items():
        assert experiment_for(path, "x", []).source.kind == kind
    assert experiment_for(str(folder / "labels.csv"), "x", []).source.label_csv.endswith(
        "labels.csv"
    )
    with pytest.raises(SourceMissing, match="found nothing there"):
        experiment_for(str(tmp_path / "none"), None, [])
    with pytest.raises(ParameterError, match="nonsense"):
        experiment_for(str(folder), None, ["nonsense.x=1"])
