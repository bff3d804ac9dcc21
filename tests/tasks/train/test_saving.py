"""The folder of a training's results."""

from types import SimpleNamespace

from storage import atomic, folders
from storage.features import FeatureSpace
from storage.references import FeaturesRef, SplitRef
from tasks.tensorflow import load_keras
from tasks.train import saving
from tasks.train.fit import Fitted
from tasks.train.head import Head, build_head


def small_backbone(*_args):
    keras = load_keras()
    given = keras.Input((32, 32, 3))
    model = keras.Model(given, keras.layers.AveragePooling2D(16)(given))
    return SimpleNamespace(build=lambda precision: model)


def test_a_second_training_with_the_same_result_leaves_the_first_folder(workspace, monkeypatch):
    # The published weights are too large for a test.
    monkeypatch.setattr(saving, "backbone_of", small_backbone)
    space = FeatureSpace(
        backbone="x", weights="", layer="last", image_size=32, resizing="",
        preprocessing="rescale", precision="float32", shape=(2, 2, 3),
    )  # fmt: skip
    atomic.write_json(workspace.features / "s" / "space.json", space.model_dump(mode="json"))
    split = SplitRef(
        digest="d", where="", tree="", classes=("a", "b"), train=2, validation=1, test=1, left_out=0
    )
    features = FeaturesRef(digest="d", where="", space="s", shape=(2, 2, 3), images=4)
    fitted = [Fitted(build_head(Head(), (2, 2, 3), 2), [{"epoch": 1, "loss": 0.5}])]

    def save():
        reference = saving.save(workspace, split, features, fitted, seed=1, weights=None)
        folder = workspace.root / reference.where
        return folder, folder.stat().st_ino

    folder, first = save()
    assert save() == (folder, first)
    next(folder.rglob("*.keras")).unlink()
    assert not folders.is_sealed(folder)
    assert save()[1] != first
    assert folders.is_sealed(folder)
