import numpy as np
import pandas as pd
import pytest

from benchmarks.quality.edits import EDITS
from flows.classification import use
from flows.parameters import Experiment
from storage import manifests
from tasks.clean.parameters import LOOKING
from tests.flows.conftest import parameters
from tests.tasks.clean.copies.pairs import as_jpeg, pairs_of, tiles

SEED = 11


def write(folder, pictures):
    for name, pixels in pictures.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_jpeg(pixels))


@pytest.fixture
def originals(tmp_path):
    """Twelve pictures in two classes, and the folder that they are in."""
    folder = tmp_path / "pictures"
    names = [f"{('china', 'flower')[n // 6]}/{n}.jpg" for n in range(12)]
    made = dict(zip(names, tiles(), strict=True))
    write(folder, made)
    return folder, made


def experiment_on(folder, **changes):
    tree = parameters(folder)
    tree["experiment"] = "copied"
    return Experiment.model_validate(tree | changes)


def tables(workspace):
    found = [manifests.load(path) for path in sorted(workspace.manifests.glob("*.parquet"),
             key=lambda path: path.stat().st_mtime)]  # fmt: skip
    images = [table for table in found if "copy_of" in table][-1]
    split = [
        table for table in found if {"split", "group"} <= set(table) and "status" not in table
    ][-1]
    return images.set_index("name"), split.set_index("name")


def test_edited_copies_share_a_split_are_lined_up_in_the_report_and_known_by_the_model(
    run, workspace, originals, tmp_path
):
    folder, made = originals
    draw = np.random.default_rng(SEED)
    for name, kind in zip(made, ["mirrored", "cropped", "framed", "grey"] * 3, strict=True):
        write(folder, {name.replace(".jpg", "-copy.jpg"): EDITS[kind](made[name], draw)})
    result = run(experiment_on(folder))
    images, split = tables(workspace)
    for name in made:
        copy = name.replace(".jpg", "-copy.jpg")
        assert images.loc[name, "copies"] == images.loc[copy, "copies"] != ""
        assert split.loc[name, "split"] == split.loc[copy, "split"]
    said = set(images["edit"])
    assert "mirrored" in said
    assert any("cropped" in edit for edit in said)
    page = (workspace.root / result["report"].removeprefix(f"{workspace.root}/")).read_text()
    assert "12 groups have several pictures" in page
    # The three grey ones have the same hash: nothing had to be laid over anything.
    assert page.count(", lined up: ") == 9
    trained = [name for name in made if split.loc[name, "split"] == "train"]
    tested = [name for name in made if split.loc[name, "split"] == "test"]
    album = tmp_path / "album"
    darker = EDITS["darker"](made[trained[1]], draw)
    write(album, {"same.jpg": made[trained[0]], "mirrored.jpg": darker[:, ::-1],
                  "framed.jpg": EDITS["framed"](made[trained[2]], np.random.default_rng(SEED)),
                  "new.jpg": made[tested[0]]})  # fmt: skip
    used = use("copied", [album])
    said = {one.place.name: one.trained_on for one in used.predictions}
    assert said == {
        "same.jpg": "same file", "mirrored.jpg": "copy", "framed.jpg": "copy", "new.jpg": ""
    }  # fmt: skip
    assert any("was trained on 3 of 4 pictures" in sentence for sentence in used.sentences)


def test_a_new_picture_that_is_an_edit_of_a_test_picture_becomes_one(run, workspace, originals):
    folder, made = originals
    run(experiment_on(folder), until="split")
    _, before = tables(workspace)
    tested = [name for name in made if before.loc[name, "split"] == "test"]
    assert tested
    for name in tested:
        write(folder, {name.replace(".jpg", "-again.jpg"): made[name][:, ::-1]})
    run(experiment_on(folder), until="split")
    _, after = tables(workspace)
    assert {after.loc[name.replace(".jpg", "-again.jpg"), "split"] for name in tested} == {"test"}


def test_a_picture_mirrored_under_another_label_is_set_aside(run, workspace, originals):
    folder, made = originals
    write(folder, {"flower/wrong.jpg": made["china/4.jpg"][:, ::-1]})
    grey = EDITS["grey"](made["china/3.jpg"], np.random.default_rng(SEED))
    write(folder, {"flower/grey.jpg": grey})
    run(experiment_on(folder), until="split")
    images, _ = tables(workspace)
    for name in ("flower/wrong.jpg", "china/4.jpg"):
        assert images.loc[name, "status"] == "label conflict"
        assert images.loc[name, "reason"] == "nearly the same as china and flower"
    # Colour may be what tells the classes apart: they only share a split.
    assert images.loc["flower/grey.jpg", "status"] == "kept"
    assert images.loc["flower/grey.jpg", "group"] == images.loc["china/3.jpg", "group"]


def test_edited_copies_across_a_given_split_are_counted_and_left_out(run, workspace, tmp_path):
    folder, made = tmp_path / "given", dict(enumerate(tiles()))
    for number, pixels in made.items():
        label, place = ("china", "flower")[number // 6], ("train", "test")[number % 3 == 0]
        write(folder, {f"{place}/{label}/{number}.jpg": pixels})
    write(folder, {"train/china/leak.jpg": made[0][:, ::-1]})
    result = run(
        Experiment.model_validate(
            parameters(folder) | {"split": {"rule": "given"}, "experiment": "given"}
        ),
        until="split",
    )
    assert any("left out" in remark for remark in result["remarks"]), result["remarks"]


@pytest.mark.parametrize(
    "network",
    [{"precision": "bfloat16"}, {"precision": "float32"}, {"runtime": "tensorflow"}],
    ids=str,
)
def test_whatever_computes_the_candidates_the_same_copies_are_found(workspace, network):
    draw = np.random.default_rng(SEED)
    originals = tiles()
    kinds = ["cropped", "framed", "grey", "mirrored", "tinted", "squashed"] * 2
    copies = [EDITS[kind](one, draw) for kind, one in zip(kinds, originals, strict=True)]
    looking = LOOKING.model_copy(update={"network": LOOKING.network.model_copy(update=network)})
    pairs = pairs_of(workspace, [*originals, *copies], looking)
    assert pairs == {frozenset((n, n + 12)) for n in range(12)}


def test_looking_for_copies_leaves_nothing_to_extract(run, workspace, originals):
    folder, _ = originals
    model = {"backbone": "EfficientNetLite0", "precision": "float32"}
    result = run(experiment_on(folder, model=model), until="extract")
    assert result["counts"]["extracted"] == result["counts"]["images"] == 12
    assert len(list(workspace.features.glob("*/*.arrow"))) == 1
    other = run(experiment_on(folder, clean={"copies": "resaved"}, model=model), until="extract")
    assert other["counts"]["extracted"] == 0


def test_ignored_copies_may_cross_a_split(run, workspace, originals):
    folder, made = originals
    write(folder, {name.replace(".jpg", "-m.jpg"): made[name][:, ::-1] for name in made})
    run(experiment_on(folder, clean={"copies": "ignore"}), until="split")
    images, split = tables(workspace)
    assert images["group"].nunique() == 24
    pairs = pd.DataFrame(
        [(split.loc[name, "split"], split.loc[name.replace(".jpg", "-m.jpg"), "split"])
         for name in made]
    )  # fmt: skip
    assert (pairs[0] != pairs[1]).any()
