"""The step `evaluate` on a model whose answers are known, with everything on disk."""

import cv2
import numpy as np
import pandas as pd
import pytest

from storage import atomic, folders, manifests
from storage.errors import ParameterError
from storage.features import FeatureSpace, FeatureStore
from storage.folders import LOOK, LOOK_ARRAYS, MODEL, PREDICTIONS, TRAINING, part_path
from storage.images import ImageStore
from storage.references import ModelRef, SplitRef
from tasks.evaluate.close_up import look as looks
from tasks.evaluate.close_up import selection
from tasks.evaluate.parameters import Look
from tasks.evaluate.step import evaluate
from tasks.running.tensorflow import load_keras
from tests.tasks.evaluate import networks

CLASSES = ("dark", "light")
PICTURES = 44
SHAPE = (networks.SIDE, networks.SIDE, 3)


def pictures():
    """(class, corner, pixels): the spot goes round the corners, every eleventh label is wrong."""
    for number in range(PICTURES):
        light, corner = number % 2, list(networks.CORNERS)[number // 2 % 4]
        label = CLASSES[light if number % 11 else 1 - light]
        yield label, corner, networks.spotted(corner, 255 - number if light else number // 2)


@pytest.fixture
def given(workspace):
    """(split, features, model), stored as the steps before store them."""
    store, rows, pixels = ImageStore(workspace.images), [], []
    for number, (label, corner, one) in enumerate(pictures()):
        image = store.add(cv2.imencode(".png", one[:, :, ::-1])[1].tobytes())
        about = {"name": f"{corner}/{number}.png", "split": "train" if number < 8 else "test"}
        size = {"width": networks.SIDE, "height": networks.SIDE}
        rows.append(
            {"image": image, "label": label, "source": "", "group": image, "copies": image}
            | about
            | size
        )
        pixels.append(one)
    table = pd.DataFrame(rows)
    space = FeatureSpace(
        backbone="pixels", weights="none", layer="last", image_size=networks.SIDE, resizing="",
        preprocessing="none", precision="uint8", shape=SHAPE,
    )  # fmt: skip
    features = FeatureStore(workspace, space)
    features.add(table["image"].tolist(), np.stack(pixels))
    return (
        split_of(workspace, table),
        features.reference(table["image"].tolist()),
        model_of(workspace, space),
    )


def split_of(workspace, table):
    digest, path = manifests.save(workspace.manifests, table)
    return SplitRef(digest=digest, where=workspace.relative(path), tree="", classes=CLASSES,
                    train=8, validation=0, test=PICTURES - 8, left_out=0)  # fmt: skip


def model_of(workspace, space):
    target = workspace.models / "known"
    keras = load_keras()
    trained = networks.spot_finder()
    given = keras.Input((None, None, 3))
    resized = keras.layers.Resizing(networks.SIDE, networks.SIDE, name="resized")(given)
    with folders.new_folder(target) as folder:
        keras.Model(given, trained(resized)).save(folder / MODEL)
        (folder / "parts").mkdir()
        trained.save(part_path(folder, 0))
        training = {"space": space.model_dump(mode="json"), "published_repeat": 0}
        atomic.write_json(folder / TRAINING, training)
        folders.seal(folder)
    return ModelRef(digest="known", where="models/known", classes=CLASSES, repeats=1)


def test_errors_and_the_eight_have_heat_where_their_spot_is(workspace, given):
    folder = workspace.root / evaluate.fn(*given).where
    predictions = manifests.load(folder / PREDICTIONS)
    wrong = predictions[(predictions["split"] == "test") & ~predictions["correct"]]
    assert len(wrong) == 3
    looked = looks.load(folder)
    assert set(looked.heat) == set(wrong["image"]) | set(selection.eight(predictions))
    assert list(looked.heat)[:3] == selection.confident_errors(predictions)
    for image, heat in looked.heat.items():
        corner = predictions.loc[predictions["image"] == image, "name"].item().partition("/")[0]
        down, right = (round(place / len(heat)) for place in np.argwhere(heat == 255).mean(axis=0))
        assert (down, right) == networks.CORNERS[corner]


def test_the_first_convolution_sees_the_first_test_picture(workspace, given):
    looked = looks.load(workspace.root / evaluate.fn(*given).where)
    names = manifests.load(workspace.root / given[0].where).set_index("image")["name"]
    assert names[looked.picture] == "lower left/12.png"
    assert (looked.maps.layer, looked.maps.shape) == ("spots", (22, 22, 2))
    # The twelfth picture has a dark spot: the second channel answers in its corner, the first not.
    assert looked.maps.channels == [1, 0]
    assert looked.maps.pixels[0, 11:, :11].max() == 255
    assert looked.maps.pixels[0, :11].max() == looked.maps.pixels[1].max() == 0


def test_what_is_looked_at_is_in_the_sealed_folder_and_in_its_digest(workspace, given):
    first, again = evaluate.fn(*given), evaluate.fn(*given)
    assert first == again
    folder = workspace.path(first)
    assert {LOOK, LOOK_ARRAYS} <= set(folders.read_json(folder / "contents.json"))
    assert folders.is_intact(folder)
    layer = evaluate.fn(*given, look=Look(layer="halved"))
    picture = evaluate.fn(*given, look=Look(picture="40.png"))
    assert len({first.digest, layer.digest, picture.digest}) == 3
    assert looks.load(workspace.path(layer)).maps.layer == "halved"
    assert looks.load(workspace.path(picture)).picture != looks.load(folder).picture
    (folder / LOOK_ARRAYS).unlink()
    assert not folders.is_sealed(folder)
    assert evaluate.fn(*given) == first
    assert folders.is_intact(folder)


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (Look(layer="spot"), "resized, scaled, spots, halved"),
        (Look(picture="41.jpg"), "lower left/12.png"),
    ],
)
def test_what_is_not_there_is_an_error_that_says_what_is(workspace, given, look, words):
    with pytest.raises(ParameterError, match=words):
        evaluate.fn(*given, look=look)
    assert not workspace.evaluations.exists()
