"""The seven steps, for real: what runs, what is cached, and why."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from storage import folders, records
from storage.fingerprints import state_of
from storage.references import SplitRef
from storage.wholeness import is_whole
from tests.flows.conftest import executed, parameters
from tests.pictures import write_folders, write_kaggle_zip
from tests.project import PROJECT

STEPS = ["acquire", "clean", "split", "extract", "train", "evaluate", "publish"]
UNLESS = "runs, unless exactly this was computed before"


def with_training(experiment, **changes):
    return experiment.model_copy(
        update={"training": experiment.training.model_copy(update=changes)}
    )


def shards_of(workspace):
    return sorted(workspace.features.glob("*/*.arrow"))


def splits_of(workspace):
    from storage import manifests, records
    from storage.references import SplitRef

    reference = SplitRef.model_validate(records.latest(workspace, "small", "split").result)
    table = manifests.load(workspace.path(reference))
    return dict(zip(table["image"], table["split"], strict=True))


def foretold(experiment, rerun=()):
    from flows.steps import foretell

    return {
        outcome.name: (outcome.state, outcome.why) for outcome in foretell(experiment, list(rerun))
    }


def test_a_first_run_executes_every_step_and_leaves_a_report(developed, workspace):
    result = developed
    assert executed(result) == STEPS
    assert {step["why"] for step in result["steps"]} == {"first run"}
    assert result["counts"] == {
        "images": 24, "rejected": 0, "left_out": 0, "decoded": 24, "extracted": 24, "epochs": 3
    }  # fmt: skip
    assert Path(result["model"]).is_file()
    page = Path(result["report"])
    assert page.read_text().startswith("<!doctype html>")
    assert (workspace.reports / "small" / "latest" / page.name).samefile(page)
    accuracy = result["metrics"]["test"]["accuracy"]
    assert accuracy["low"] <= accuracy["mean"] <= accuracy["high"]
    json.dumps(result)


def test_the_same_run_again_executes_nothing(run, experiment, developed):
    assert {state for state, _ in foretold(experiment).values()} == {"cached"}
    second = run(experiment)
    assert executed(second) == []
    assert second["counts"]["decoded"] == second["counts"]["extracted"] == 0
    assert second["report"] == developed["report"]


def test_a_zip_of_zips_runs_too(run, experiment, tmp_path, workspace):
    source = type(experiment).model_validate(
        parameters(tmp_path)
        | {"source": {"kind": "archive", "archive": str(write_kaggle_zip(tmp_path / "k.zip", 8))}}
    )
    result = run(source, until="split")
    assert [step["name"] for step in result["steps"]] == STEPS[:3]
    assert result["counts"]["images"] == 16
    assert result["report"] is None
    trees = [path for path in workspace.splits.iterdir() if path.name != "lineage"]
    assert len(list(trees[0].glob("train/cat/cat.*.jpg"))) == 4


def test_rerun_executes_that_step_and_what_follows_stays_cached(run, experiment, developed):
    assert foretold(experiment, ["train"])["train"] == ("run", "asked for with rerun")
    result = run(experiment, rerun=["train"])
    assert executed(result) == ["train"]


def test_a_file_changed_behind_its_size_and_times_is_found_by_rerunning_acquire(
    run, experiment, tmp_path, workspace
):
    folder = write_folders(tmp_path / "pictures", per_class=12)
    source = type(experiment).model_validate(parameters(folder))
    changed, other = sorted(folder.glob("*/*.jpg"))[:2]
    run(source, until="acquire")
    changed.write_bytes(other.read_bytes())
    # As where a file system does not tell: what is remembered has the state of the new file.
    with sqlite3.connect(workspace.fingerprints) as memo:
        rows = memo.execute(
            "UPDATE files SET state = ? WHERE path = ?", (state_of(changed), os.fsencode(changed))
        ).rowcount
    memo.close()
    assert rows == 1
    assert executed(run(source, until="clean")) == ["clean"]
    again = run(source, rerun=["acquire"], until="clean")
    assert executed(again) == ["acquire", "clean"]
    assert again["counts"]["images"] == 23  # two have the same bytes now


def test_a_changed_parameter_reruns_what_depends_on_it(run, experiment, developed):
    changed = with_training(experiment, epochs=4)
    before = foretold(changed)
    assert before["extract"][0] == "cached"
    assert before["train"] == ("run", "training.epochs: 3 -> 4")
    assert before["evaluate"][0] == "depends"
    result = run(changed)
    assert executed(result) == ["train", "evaluate", "publish"]
    whys = {step["name"]: step["why"] for step in result["steps"]}
    assert whys["evaluate"] == "the model changed"
    assert whys["publish"] == "the model changed; the evaluation changed"


def test_in_an_empty_workspace_every_step_is_said_to_run(experiment):
    whys = dict.fromkeys(STEPS, "first run") | {"train": "asked for with rerun"}
    assert foretold(experiment, ["train"]) == {step: ("run", why) for step, why in whys.items()}


def test_a_rerun_is_foretold_although_an_earlier_step_runs_too(experiment, developed):
    before = foretold(experiment, ["extract", "train"])
    assert before["train"] == ("run", "asked for with rerun")
    assert before["evaluate"] == (
        "depends",
        "runs if extract or train gives another result than before",
    )


def test_what_changed_is_named_although_an_earlier_step_runs_first(experiment, developed):
    before = foretold(with_training(experiment, epochs=4), ["extract"])
    assert before["train"] == ("depends", f"{UNLESS}: training.epochs: 3 -> 4")
    unchanged = foretold(experiment, ["extract"])
    assert unchanged["train"] == ("depends", "runs if extract gives another result than before")


def test_a_lost_model_is_named_although_an_earlier_step_runs_first(experiment, developed):
    Path(developed["model"]).unlink()
    assert foretold(experiment, ["extract"])["train"] == (
        "depends",
        f"{UNLESS}: its result is no longer there, or no longer whole",
    )


def test_a_parameter_without_effect_reruns_nothing(run, experiment, developed):
    assert executed(run(with_training(experiment, seconds_between_checkpoints=1.0))) == []


def test_going_back_to_earlier_parameters_points_latest_back(run, experiment, workspace, developed):
    run(with_training(experiment, epochs=4))
    foreseen = foretold(experiment, ["extract"])["train"]
    assert foreseen == ("depends", "runs if extract gives another result than before")
    again = run(experiment)
    assert executed(again) == []
    latest = workspace.reports / "small" / "latest" / "report.html"
    assert latest.samefile(developed["report"])


@pytest.mark.parametrize("damage", ["delete", "truncate"])
def test_a_lost_shard_is_extracted_again_and_nothing_else_runs(
    run, experiment, workspace, developed, damage
):
    (shard,) = shards_of(workspace)
    if damage == "delete":
        shard.unlink()
    else:
        shard.write_bytes(shard.read_bytes()[:-100])
    assert foretold(experiment)["extract"] == (
        "run",
        "its result is no longer there, or no longer whole",
    )
    result = run(experiment)
    assert executed(result) == ["extract"]
    assert result["counts"]["extracted"] == 24


def test_a_lost_model_is_trained_again(run, experiment, developed):
    Path(developed["model"]).unlink()
    assert executed(run(experiment)) == ["train"]
    assert Path(developed["model"]).is_file()


def test_a_run_until_evaluate_gives_its_numbers_without_a_report(run, experiment, developed):
    result = run(experiment, until="evaluate")
    assert result["metrics"] == developed["metrics"]
    assert result["metrics"]["test"]["images"] == 6
    assert (result["report"], result["published"]) == (None, None)
    assert run(experiment, until="train")["metrics"] is None


def test_new_pictures_cost_their_own_work_and_move_nothing(run, tmp_path, workspace):
    from flows.parameters import Experiment

    folder = write_folders(tmp_path / "many", per_class=300)
    experiment = Experiment.model_validate(parameters(folder))
    run(experiment, until="extract")
    before = splits_of(workspace)
    write_folders(folder, per_class=20, first=5000)
    result = run(experiment, until="extract")
    after = splits_of(workspace)
    assert result["counts"]["images"] == 640
    assert result["counts"]["decoded"] == result["counts"]["extracted"] == 40
    assert {image: after[image] for image in before} == before
    assert len(after) == 640


def test_a_sticky_split_that_was_dropped_is_remembered_again(run, tmp_path, workspace):
    from flows.command import cache
    from flows.parameters import Experiment

    folder = write_folders(tmp_path / "many", per_class=40)
    experiment = Experiment.model_validate(parameters(folder))
    run(experiment, until="split")
    cache.drop("small", yes=True)
    run(experiment, until="split")  # the split is cached, its memory is gone
    before = splits_of(workspace)
    write_folders(folder, per_class=20, first=5000)
    run(experiment, until="split")
    after = splits_of(workspace)
    # What the split continues is not known before its pictures are: that it changed is not said.
    foreseen = foretold(experiment, ["clean"])["split"]
    assert foreseen == ("depends", "runs if clean gives another result than before")
    assert len(after) == 120
    assert {image: after[image] for image in before} == before


def test_a_folder_that_moved_is_the_same_collection(run, experiment, developed, tmp_path):
    from flows.parameters import Experiment

    moved = tmp_path / "elsewhere" / Path(experiment.source.folder).name
    shutil.copytree(experiment.source.folder, moved)
    result = run(Experiment.model_validate(parameters(moved)))
    assert executed(result) == ["acquire"]


def test_the_same_pictures_under_another_experiment_are_not_extracted_again(
    run, experiment, developed
):
    other = experiment.model_copy(update={"experiment": "other"})
    foreseen = foretold(other)["extract"]
    assert foreseen == ("depends", f"{UNLESS}: first run")
    result = run(other, until="extract")
    assert executed(result) == ["split"]
    assert result["counts"]["decoded"] == result["counts"]["extracted"] == 0


def test_repeats_have_seeds_of_their_own_and_the_lowest_loss_is_published(
    run, experiment, developed, workspace
):
    result = run(with_training(experiment, repeats=3))
    training = json.loads((Path(result["model"]).parent / "training.json").read_text())
    losses = [min(row["val_loss"] for row in history) for history in training["history"]]
    assert training["seeds"] == [1, 2, 3]
    assert len(set(losses)) == 3
    assert training["published_repeat"] == losses.index(min(losses))
    accuracy = result["metrics"]["test"]["accuracy"]
    assert accuracy["mean"] == pytest.approx(sum(accuracy["repeats"]) / 3)
    assert accuracy["published"] == accuracy["repeats"][training["published_repeat"]]


def test_a_picture_is_read_once_for_all_its_views(
    run, experiment, developed, workspace, opened, monkeypatch
):
    from flows.parameters import Experiment

    tree = experiment.model_dump(mode="json")
    tree["model"] |= {"views": 3, "averaging": "mirror"}
    tree["training"]["augmentation"] = {"rotation": 10}
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    opened.clear()
    result = run(Experiment.model_validate(tree), until="extract")
    assert result["counts"]["extracted"] == 24 + 12 * 3  # mirror images, and views to train on
    read = [path for path in opened if str(workspace.images) in path]
    assert len(read) == len(set(read)) == 24


def test_every_picture_has_a_row_of_predictions(developed, workspace):
    (path,) = workspace.evaluations.glob("*/predictions.parquet")
    table = pd.read_parquet(path)
    assert len(table) == 24
    total = table["probability_ant"] + table["probability_bee"]
    assert total.between(0.999, 1.001).all()


def test_features_that_do_not_fit_in_memory_train_the_same_head(
    run, experiment, developed, monkeypatch
):
    monkeypatch.setattr("tasks.train.batches.SHARE_OF_MEMORY", 0.0)
    second = run(experiment, rerun=["train"])
    assert executed(second) == ["train"]
    assert second["model"] == developed["model"]


def test_prefect_keeps_the_runs_artifacts(first_run):
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter

    with get_client(sync_client=True) as client:
        keys = {
            artifact.key for artifact in client.read_artifacts(artifact_filter=ArtifactFilter())
        }
    assert {"small-summary", "small-metrics", "small-report"} <= keys


def test_class_names_from_strangers_are_text_everywhere(run, tmp_path, workspace):
    from prefect.client.orchestration import get_client

    from flows.parameters import Experiment

    classes = ("<img src=x onerror=alert(1)>", "größe | *klein*")
    tree = parameters(write_folders(tmp_path / "odd", per_class=12, classes=classes))
    result = run(Experiment.model_validate(tree))
    page = Path(result["report"]).read_text()
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img src=x" not in page
    with get_client(sync_client=True) as client:
        texts = [str(one.data) for one in client.read_artifacts() if one.key == "small-summary"]
    assert any("&lt;img src=x" in text for text in texts)
    assert not any("<img src=x" in text for text in texts)
    trees = [path for path in workspace.splits.iterdir() if path.name != "lineage"]
    assert {path.name for path in (trees[0] / "train").iterdir()} == {
        "_img src=x onerror=alert(1)_",
        "größe _ _klein_",
    }


def test_one_class_is_an_error_that_says_what_is_missing(run, tmp_path):
    from flows.parameters import Experiment
    from storage.errors import NoUsablePictures

    tree = parameters(write_folders(tmp_path / "one", per_class=4, classes=("ant",)))
    with pytest.raises(NoUsablePictures, match="at least two classes"):
        run(Experiment.model_validate(tree))


def test_every_file_of_a_result_folder_is_described(developed, workspace):
    for place, held in folders.HELD.items():
        room = place.partition("/")[0]
        depth = "*/2*" if room == "reports" else "*"
        found = [
            one for one in (workspace.root / room).glob(depth) if (one / "contents.json").exists()
        ]
        assert found
        for folder in found:
            assert {path.name for path in folder.iterdir()} <= set(held)


UNTIL_EXTRACT = """
import sys
from flows.parameters import Experiment
from flows.steps import develop

class Call:
    outcomes = ()
    def __call__(self, step, **inputs):
        if step.name == "train":
            sys.exit(" ".join({"tensorflow", "keras"} & set(sys.modules)) or 0)
        self.made = step(**inputs)
        return self.made

develop(Call(), Experiment.model_validate({
    "experiment": "light",
    "source": {"kind": "folders", "folder": sys.argv[1]},
    "split": {"fractions": {"train": 0.5, "validation": 0.25, "test": 0.25}},
    "model": {"backbone": "EfficientNetLite0", "image_size": 64},
}))
"""


def test_acquire_clean_split_and_extract_need_no_tensorflow(prefect_server, pictures, workspace):
    done = subprocess.run(
        [sys.executable, "-c", UNTIL_EXTRACT, str(pictures)],
        env=os.environ | {"PREFECT_API_URL": prefect_server},
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert len(list(workspace.features.glob("EfficientNetLite0-64-imagenet-openvino-*"))) == 1


def test_a_split_without_its_tree_of_folders_is_the_same_split(
    run, experiment, developed, workspace
):
    before = records.latest(workspace, "small", "split").result
    split = experiment.split.model_copy(update={"tree": False})
    bare = run(experiment.model_copy(update={"split": split}))
    assert [step["name"] for step in bare["steps"] if step["state"] == "executed"] == ["split"]
    after = records.latest(workspace, "small", "split").result
    assert (after["digest"], after["tree"]) == (before["digest"], "")
    # What it points to is whole without one, and damage to its table is seen.
    reference = SplitRef.model_validate(after)
    assert is_whole(workspace, reference)
    table = workspace.path(reference)
    table.chmod(0o644)
    table.write_bytes(table.read_bytes()[:-20])
    assert not is_whole(workspace, reference)
