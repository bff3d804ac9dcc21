"""The folder of a training's results."""

import csv
import json

import numpy as np
import pytest

from storage import atomic, folders
from storage.features import SPACE
from storage.references import FeaturesRef, SplitRef
from tasks.classify.classifier import Classifier
from tasks.features.pixels import Pixels
from tasks.pictures.parameters import Square
from tasks.running.tensorflow import load_keras
from tasks.train.fit import Fitted
from tasks.train.head import build_head
from tasks.train.model_folder import saving
from tasks.train.networks import build_network
from tasks.train.parameters import Head, Network
from tasks.train.randomness import start_from

SIDE = 8
HEAD = Head(pooling="flatten")
# The card names a network where features are pixels; a head on them is as good and small.
NETWORK = Network(network="baseline_convnet")


def saved(
    workspace, channels=3, classes=("a", "b"), averaged=("",), *,
    model=None, part=NETWORK, side=SIDE, keep="best", validation=1, test=1, seed=1,
    resize="squash",
):  # fmt: skip
    """A network on pixels: a head, which needs no published weights."""
    space = Pixels(side, channels, resize).prepare().space
    atomic.write_json(workspace.features / space.name / SPACE, space.model_dump(mode="json"))
    split = SplitRef(
        digest="d",
        where="",
        tree="",
        classes=classes,
        train=2,
        validation=validation,
        test=test,
        left_out=0,
    )
    features = FeaturesRef(
        digest="d", where="", space=space.name, shape=space.shape, images=4, averaged=averaged
    )
    start_from(1)
    model = model or build_head(HEAD, space.shape, len(classes))
    history = [{"epoch": 1.0, "loss": 0.5, "val_loss": 0.6}, {"epoch": 2.0, "loss": 0.4}]
    fitted = [Fitted(model, history, keep)]
    reference = saving.save(workspace, split, features, fitted, part=part, seed=seed, weights=None)
    return workspace.path(reference), model


def test_a_second_training_with_the_same_result_leaves_the_first_folder(workspace):
    folder, _ = saved(workspace)
    first = folder.stat().st_ino
    assert saved(workspace)[0] == folder
    assert folder.stat().st_ino == first
    next(folder.rglob("*.keras")).unlink()
    assert not folders.is_sealed(folder)
    assert saved(workspace)[0].stat().st_ino != first
    assert folders.is_sealed(folder)


def test_what_the_files_say_and_what_writes_them_make_another_folder(workspace, monkeypatch):
    made = [saved(workspace, **said)[0] for said in ({}, {"keep": "last"}, {"seed": 2})]
    # As after a mend of what exports the model or words the card.
    monkeypatch.setattr(saving.code_fingerprint, "of_package_alone", lambda _: "mended")
    made.append(saved(workspace)[0])
    assert len(set(made)) == 4
    assert "last epoch" in (made[1] / "card.md").read_text()
    assert json.loads((made[2] / "training.json").read_text())["seeds"] == [2]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("classes", [("a", "b"), ("a", "b", "c")])
def test_the_saved_model_sees_pictures_as_the_cached_pixels_do(workspace, channels, classes):
    compute = Pixels(SIDE, channels).prepare().each
    pictures = np.random.default_rng(2).uniform(0, 255, (5, SIDE, SIDE, 3)).astype(np.float32)
    folder, model = saved(workspace, channels, classes)
    whole = load_keras().saving.load_model(folder / "model.keras")
    said = np.asarray(whole(pictures))
    pixels = np.stack([compute(one) for one in pictures])
    ours = np.asarray(model(pixels))
    if len(classes) == 2:
        ours = np.concatenate([1 - ours, ours], axis=1)
    # A grey value that lies between two whole numbers may be rounded either way.
    assert said == pytest.approx(ours, abs=2e-2 if channels == 1 else 1e-5)


def test_a_model_that_looks_at_both_sides_gives_the_mean(workspace):
    pictures = np.random.default_rng(2).integers(0, 256, (3, SIDE, SIDE, 3)).astype(np.float32)
    folder, model = saved(workspace, averaged=("", "mirror"))
    whole = load_keras().saving.load_model(folder / "model.keras")
    sides = [np.asarray(model(one)) for one in (pictures, pictures[:, :, ::-1])]
    assert np.asarray(whole(pictures))[:, 1:] == pytest.approx(np.mean(sides, axis=0), abs=1e-5)
    assert np.abs(sides[0] - sides[1]).max() > 1e-3
    assert "mirror image" in (folder / "card.md").read_text()


def test_the_same_training_has_the_same_digest_whatever_was_built_before(workspace):
    """Keras numbers bare arithmetic, of which local response normalisation is made."""
    network = Network(network="alexnet", local_response_normalisation=True)
    folders_made = set()
    for _ in range(2):
        start_from(1)
        model = build_network(network, (67, 67, 3), 2)
        folders_made.add(saved(workspace, model=model, part=network, side=67)[0])
    assert len(folders_made) == 1


@pytest.mark.parametrize(
    ("keep", "validation", "said"),
    [
        ("best", 1, "lowest loss on 1 validation pictures"),
        ("best", 0, "lowest training loss"),
        ("last", 1, "weights of the last epoch"),
    ],
)
def test_the_card_says_which_weights_were_kept(workspace, keep, validation, said):
    folder, _ = saved(workspace, keep=keep, validation=validation)
    assert said in (folder / "card.md").read_text()


def test_the_card_of_a_grown_test_split_names_its_pictures(workspace):
    before, after = (saved(workspace, test=count)[0] for count in (1, 2))
    assert before != after
    assert "2 test pictures" in (after / "card.md").read_text()


def test_the_history_is_a_table_for_spreadsheets(workspace):
    folder, _ = saved(workspace)
    with (folder / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["seed"], row["epoch"], row["loss"], row["val_loss"]) for row in rows] == [
        ("1", "1", "0.5", "0.6"), ("1", "2", "0.4", "")
    ]  # fmt: skip


def test_the_layers_are_written_down(workspace):
    folder, model = saved(workspace)
    layers = json.loads((folder / "network.json").read_text())
    assert {"Resize", "Dense"} <= {layer["kind"] for layer in layers}
    assert sum(layer["parameters"] for layer in layers) == model.count_params()


@pytest.mark.parametrize("resize", ["squash", "pad", "crop"])
def test_the_saved_model_makes_squares_as_they_were_made_for_training(workspace, resize):
    picture = np.random.default_rng(4).integers(0, 256, (23, 41, 3), dtype=np.uint8)
    folder, _ = saved(workspace, resize=resize)
    whole = load_keras().saving.load_model(folder / "model.keras")
    said = np.asarray(whole(picture[None].astype(np.float32)))
    quick = Classifier.open(folder / "model.keras")
    assert quick.square == Square(SIDE, resize)
    assert quick.probabilities([picture]) == pytest.approx(said, abs=2e-3)
    (folder / "model.xml").unlink()
    slow = Classifier.open(folder / "model.keras")
    assert slow.square == Square(SIDE, resize)
    assert slow.probabilities([picture]) == pytest.approx(said, abs=2e-3)
    assert resize in (folder / "card.md").read_text()
