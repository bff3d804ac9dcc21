"""Backbones that are joined, each computed once; and backbones that are files of the user's own."""

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from flows.parameters import Experiment, Features, FineTuned
from storage import digests
from storage.errors import ParameterError
from storage.features import FeatureSpace, FeatureTable
from storage.images import ImageStore
from storage.shards import ShardStore
from storage.workspace import Workspace
from tasks.evaluate import parity
from tasks.running.tensorflow import load_keras
from tests.flows.conftest import executed, parameters

BOTH = ["EfficientNetLite0", "EfficientNetLite2"]


def experiment(pictures, backbone):
    tree = parameters(pictures)
    tree["model"] = tree["model"] | {"backbone": backbone, "image_size": 64}
    return Experiment.model_validate(tree)


def stored(workspace, backbone):
    """The one space of that name, as its folder and as it is written there."""
    (folder,) = workspace.features.glob(f"{backbone}-64-*")
    return folder, FeatureSpace.model_validate_json((folder / "space.json").read_text())


def test_one_more_computes_only_itself_and_heads_see_the_averages_of_all(run, pictures, workspace):
    assert run(experiment(pictures, BOTH[0]), until="extract")["counts"]["extracted"] == 24
    both = run(experiment(pictures, BOTH), until="evaluate")
    assert both["counts"]["extracted"] == 24
    again = run(experiment(pictures, [*reversed(BOTH)]), until="extract")
    assert again["counts"]["extracted"] == 0

    folder, space = stored(workspace, "+".join(BOTH))
    assert space.shape == (2 * 1280,)
    assert [part.backbone for part in space.parts] == BOTH
    names = sorted(ShardStore(folder).index())
    assert len(names) == 24
    rows = [table_of(workspace, name, names) for name in ("+".join(BOTH), *BOTH)]
    means = [maps.astype(np.float32).reshape(24, 4, -1).mean(axis=1) for maps in rows[1:]]
    assert rows[0] == pytest.approx(np.concatenate(means, axis=1), abs=2e-3)
    (evaluation,) = workspace.evaluations.iterdir()
    agreed = parity.load(evaluation)
    assert agreed.equal == agreed.pictures > 0
    assert agreed.largest < 0.02


def table_of(workspace: Workspace, backbone, names):
    folder, space = stored(workspace, backbone)
    reference = type("Reference", (), {"space": folder.name, "shape": space.shape})
    return FeatureTable.of(workspace, reference, names).rows(np.arange(len(names)))


def test_a_list_of_one_is_that_one():
    assert Features(backbone=BOTH[:1]).extraction() == Features(backbone=BOTH[0]).extraction()


def test_all_see_pictures_at_the_side_of_the_first():
    told = Features(backbone=[*reversed(BOTH)]).extraction()
    assert [told.image_size, told.beside[0].image_size] == [260, 260]
    assert Features(backbone=BOTH, image_size=96).extraction().beside[0].image_size == 96


def test_each_is_shown_pictures_as_it_was_trained():
    told = Features(backbone=["EfficientNetLite0", "VGG16"], precision="float32").extraction()
    assert [(one.mode, one.runtime) for one in (told, *told.beside)] == [
        ("lite", "openvino"), ("caffe", "tensorflow"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"backbone": []}, "at least 1 item"),
        ({"backbone": [BOTH[0], BOTH[0]]}, "names one twice"),
        ({"backbone": [BOTH[0], "EfficientNetLite"]}, "did you mean EfficientNetLite"),
        ({"backbone": BOTH, "layer": "block10_sum"}, "layer is for one backbone"),
        ({"backbone": BOTH, "weights": "x.pth"}, "weights is for one backbone"),
        ({"backbone": ["VGG16", "EfficientNetB0"], "preprocessing": "rescale"}, "B0 scales pixels"),
    ],
)
def test_what_cannot_be_joined_says_why(words, reason):
    with pytest.raises(ValidationError, match=reason):
        Features.model_validate(words)


def test_layers_of_one_backbone_alone_are_tuned():
    with pytest.raises(ValidationError, match="layer is for one backbone"):
        FineTuned(kind="finetune", backbone=BOTH)


@pytest.fixture
def built(tmp_path):
    """Save a small network that scales pixels by itself; its file, for `seed`, and more layers."""

    def build(name="birds.keras", side=32, seed=0, more=(), colours=3):
        keras = load_keras()
        keras.utils.set_random_seed(seed)
        layers = [
            keras.Input((side, side, colours)),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.layers.Conv2D(6, 5, strides=2, activation="relu", name="first"),
            keras.layers.BatchNormalization(),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.Dropout(0.5),
            *more,
        ]
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        keras.Sequential(layers).save(file)
        return file

    return build


def with_file(pictures, file, **changes):
    tree = parameters(pictures)
    del tree["model"]["image_size"]
    tree["model"] |= {"backbone": str(file), "precision": "auto"} | changes
    return Experiment.model_validate(tree)


def test_a_file_of_ones_own_is_a_backbone_wherever_it_lies(run, pictures, workspace, built):
    file = built()
    first = run(with_file(pictures, file), until="evaluate")
    assert first["counts"]["extracted"] == 24
    (folder,) = workspace.features.iterdir()
    name = f"birds@{digests.of_file(file)[:16]}"
    assert folder.name.startswith(f"{name}-32-own-float32-")

    moved = file.rename(file.with_name("moved.keras")).rename(file.parent.parent / "birds.keras")
    again = run(with_file(pictures, moved), until="evaluate")
    assert executed(again) == []

    # The saved model holds it: in plain Keras it says what the evaluation says.
    (evaluation,) = workspace.evaluations.iterdir()
    table = pd.read_parquet(evaluation / "predictions.parquet")
    model = load_keras().saving.load_model(first["model"])
    store = ImageStore(workspace.images)
    for row in table.head(5).itertuples():
        seen = cv2.imdecode(np.frombuffer(store.read(row.image), np.uint8), cv2.IMREAD_COLOR_RGB)
        said = np.asarray(model(seen[None].astype(np.float32)))[0]
        assert said == pytest.approx([row.probability_ant, row.probability_bee], abs=2e-3)
    agreed = parity.load(evaluation)
    assert agreed.equal == agreed.pictures > 0
    card = Path(first["model"]).with_name("card.md").read_text()
    assert f"{name}, its own weights `{name[-16:]}`, own preprocessing" in card

    built(seed=1).replace(moved)
    other = run(with_file(pictures, moved), until="extract")
    assert executed(other) == ["extract"]
    assert other["counts"]["extracted"] == 24


def test_what_its_layers_hold_beside_their_weights_goes_with_it(run, pictures, workspace, built):
    layers = load_keras().layers
    measured = layers.Normalization()
    measured.adapt(np.random.default_rng(0).uniform(0, 2, (8, 12, 12, 8)).astype(np.float32))
    file = built(more=[layers.Normalization(mean=[0.1] * 8, variance=[0.5] * 8), measured])
    for runtime in ("tensorflow", "openvino"):
        run(with_file(pictures, file, runtime=runtime), until="evaluate")
    agreed = [parity.load(evaluation) for evaluation in workspace.evaluations.iterdir()]
    assert [one.equal == one.pictures > 0 for one in agreed] == [True, True]
    assert max(one.largest for one in agreed) < 0.02
    one, other = (
        FeatureTable.of(
            workspace,
            type("Reference", (), {"space": folder.name, "shape": (12, 12, 8)}),
            sorted(ShardStore(folder).index()),
        ).rows(np.arange(24))
        for folder in workspace.features.iterdir()
    )
    assert one == pytest.approx(other, abs=0.1)
    assert np.ptp(one) > 1


def test_a_layer_of_it_and_openvino_are_as_with_others(run, pictures, workspace, built):
    file = built()
    for changes in ({"layer": "first"}, {"runtime": "openvino"}):
        run(with_file(pictures, file, **changes), until="train")
    shapes = {
        space["runtime"]: space["shape"]
        for folder in workspace.features.iterdir()
        for space in [json.loads((folder / "space.json").read_text())]
    }
    assert shapes == {"tensorflow": [14, 14, 6], "openvino": [12, 12, 8]}


def test_code_in_a_file_is_refused_before_it_is_loaded(run, pictures, built):
    layers = load_keras().layers
    file = built(more=[layers.Lambda(lambda x: x)])
    with pytest.raises(ParameterError, match="which could run anything"):
        run(with_file(pictures, file))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"backbone": "nowhere.keras"}, "no file at /.*nowhere.keras"),
        ({"backbone": ["VGG16", "birds.keras"]}, "a list is for known backbones"),
        ({"backbone": "birds.keras", "weights": "x.h5"}, "birds.keras holds its own"),
        ({"backbone": "birds.keras", "preprocessing": "rescale"}, "birds.keras holds its own"),
        ({"backbone": "birds.keras", "precision": "bfloat16"}, "runtime=openvino computes it in"),
    ],
)
def test_what_does_not_suit_a_file_says_why(built, monkeypatch, words, reason):
    monkeypatch.chdir(built().parent)
    with pytest.raises(ValidationError, match=reason):
        Features.model_validate(words)


def test_a_file_says_its_side(built):
    assert Features(backbone=str(built(side=48))).extraction().image_size == 48
    free = str(built(side=None))
    assert Features(backbone=free, image_size=64).extraction().image_size == 64
    assert Features(backbone=free).extraction().image_size == 180
    with pytest.raises(
        ParameterError, match=r"takes pictures of 48 pixels, found model\.image_size"
    ):
        Features(backbone=str(built(side=48)), image_size=64).extraction()
    with pytest.raises(ParameterError, match="square pictures of three colours"):
        Features(backbone=str(built(colours=1))).extraction()
