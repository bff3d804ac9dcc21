"""A cached result counts only if everything it points to is still there."""

import pandas as pd
import pytest

from storage import folders, manifests, references, trees
from storage.features import FeatureStore
from storage.references import (
    AssignmentRef,
    CollectionRef,
    EvaluationRef,
    FeaturesRef,
    ImagesRef,
    ModelRef,
    ReportRef,
    SplitRef,
)
from storage.statuses import Status
from storage.wholeness import CHECKS, is_whole, leaves_of
from tests.pictures import picture
from tests.storage.test_features import names, space, values


def saved(workspace, table, kind, **fields):
    digest, path = manifests.save(workspace.manifests, table)
    return kind(digest=digest, where=workspace.relative(path), bytes=path.stat().st_size, **fields)


@pytest.fixture
def stored(images):
    """Names of three stored pictures."""
    return [images.add(picture(seed)) for seed in range(3)]


@pytest.fixture
def collection(workspace, images, stored):
    sizes = [len(images.read(name)) for name in stored]
    table = pd.DataFrame(
        {
            "image": [*stored, stored[0], ""],
            "bytes": [*sizes, sizes[0], 0],
            "status": [Status.KEPT] * 4 + [Status.ENCRYPTED],
        }
    )
    return saved(workspace, table, CollectionRef, images=4, rows=5)


@pytest.fixture
def split(workspace, stored):
    table = pd.DataFrame(
        {
            "image": stored,
            "label": ["cat", "dog", "dog"],
            "name": ["1.jpg", "1.jpg", "2.jpg"],
            "split": ["train", "test", "left out"],
        }
    )
    tree = workspace.splits / "tree"
    trees.grow(tree, leaves_of(workspace, table), references.SPLITS)
    return saved(
        workspace, table, SplitRef, tree=workspace.relative(tree), classes=("cat", "dog"),
        train=1, validation=0, test=1, left_out=1,
    )  # fmt: skip


@pytest.fixture
def features(workspace):
    store = FeatureStore(workspace, space())
    store.add(names(4), values(4))
    store.add(names(4, 4), values(4))
    return store.reference(names(8))


@pytest.fixture
def model(workspace):
    folder = workspace.models / "abc"
    (folder / "parts").mkdir(parents=True)
    (folder / "model.keras").write_bytes(b"model")
    (folder / "parts" / "0.keras").write_bytes(b"part")
    folders.seal(folder)
    return ModelRef(
        digest="abc", where=workspace.relative(folder), classes=("cat", "dog"), repeats=1
    )


class Export(references.Reference):
    """The reference of a step that is still to be written."""


def test_a_reference_without_a_check_of_its_own_stands_for_a_sealed_folder(workspace):
    assert Export not in CHECKS
    reference = Export(digest="a", where="exports/a")
    folder = workspace.path(reference)
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"whole")
    assert not is_whole(workspace, reference)
    folders.seal(folder)
    assert is_whole(workspace, reference)
    (folder / "model.onnx").unlink()
    assert not is_whole(workspace, reference)


def test_a_collection_is_whole_with_all_its_pictures(workspace, collection):
    assert is_whole(workspace, collection)


def test_a_look_at_a_collection_opens_no_picture(workspace, collection, opened):
    assert is_whole(workspace, collection)
    assert not [path for path in opened if path.endswith(".jpg")]


def test_a_collection_without_one_picture_is_not_whole(workspace, collection, images, stored):
    images.path(stored[1]).unlink()
    assert not is_whole(workspace, collection)


def test_a_collection_with_a_truncated_picture_is_not_whole(workspace, collection, images, stored):
    images.path(stored[1]).chmod(0o644)
    images.path(stored[1]).write_bytes(b"short")
    assert not is_whole(workspace, collection)


@pytest.mark.parametrize("kind", [AssignmentRef, ImagesRef])
def test_a_table_is_whole_with_its_size_and_marks(workspace, kind):
    more = (
        {"rejected": 0, "ignored": 0, "groups": 1, "classes": ("cat",)} if kind is ImagesRef else {}
    )
    table = pd.DataFrame({"image": ["a"], "split": ["train"]})
    reference = saved(workspace, table, kind, images=1, **more)
    path = workspace.path(reference)
    assert is_whole(workspace, reference)
    path.write_bytes(path.read_bytes()[:-20])
    assert not is_whole(workspace, reference)
    path.unlink()
    assert not is_whole(workspace, reference)


def damage_between_the_marks(path):
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + b"x" * (len(whole) - 8) + whole[-4:])


@pytest.mark.parametrize("kind", ["collection", "split", "assignment"])
def test_a_table_of_the_right_size_that_cannot_be_read_is_not_whole(workspace, request, kind):
    if kind == "assignment":
        table = pd.DataFrame({"image": ["a"], "split": ["train"]})
        reference = saved(workspace, table, AssignmentRef, images=1)
    else:
        reference = request.getfixturevalue(kind)
    damage_between_the_marks(workspace.path(reference))
    assert manifests.is_parquet(workspace.path(reference), reference.bytes)
    assert not is_whole(workspace, reference)


def test_a_table_that_lacks_a_column_is_not_whole(workspace):
    reference = saved(workspace, pd.DataFrame({"a": [1]}), CollectionRef, images=1, rows=1)
    assert not is_whole(workspace, reference)


def test_a_split_is_whole_with_its_tree(workspace, split):
    assert is_whole(workspace, split)
    assert len(leaves_of(workspace, manifests.load(workspace.path(split)))) == 2


def test_a_split_with_a_leaf_missing_is_not_whole(workspace, split):
    (workspace.root / split.tree / "train" / "cat" / "1.jpg").unlink()
    assert not is_whole(workspace, split)


def test_a_split_without_its_table_is_not_whole(workspace, split):
    (workspace.path(split)).unlink()
    assert not is_whole(workspace, split)


def test_features_are_whole_with_their_shards(workspace, features):
    assert is_whole(workspace, features)


def test_a_look_at_features_opens_no_shard(workspace, features, opened):
    assert is_whole(workspace, features)
    assert not [path for path in opened if path.endswith(".arrow")]


def test_features_without_a_shard_are_not_whole(workspace, features):
    next(workspace.features.glob("*/*.arrow")).unlink()
    assert not is_whole(workspace, features)


def test_features_with_a_truncated_shard_are_not_whole(workspace, features):
    shard = next(workspace.features.glob("*/*.arrow"))
    shard.write_bytes(shard.read_bytes()[:-1])
    assert not is_whole(workspace, features)


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "null", '{"shards": 3}'])
def test_features_with_a_damaged_list_of_shards_are_not_whole(workspace, features, text):
    (workspace.path(features)).write_text(text)
    assert not is_whole(workspace, features)


def test_another_shard_beside_them_does_not_matter(workspace, features):
    FeatureStore(workspace, space()).add(names(2, 100), values(2))
    assert is_whole(workspace, features)


def test_a_model_is_whole_with_all_its_files(workspace, model):
    assert is_whole(workspace, model)


@pytest.mark.parametrize("name", ["model.keras", "parts/0.keras", folders.CONTENTS])
def test_a_model_with_a_file_missing_is_not_whole(workspace, model, name):
    (workspace.path(model) / name).unlink()
    assert not is_whole(workspace, model)


@pytest.mark.parametrize("name", ["model.keras", "parts/0.keras"])
def test_a_model_with_a_truncated_file_is_not_whole(workspace, model, name):
    (workspace.path(model) / name).write_bytes(b"m")
    assert not is_whole(workspace, model)


@pytest.mark.parametrize("text", ["", "[]", "null", '"model.keras"'])
def test_a_model_with_a_damaged_list_is_not_whole(workspace, model, text):
    (workspace.path(model) / folders.CONTENTS).write_text(text)
    assert not is_whole(workspace, model)


def test_evaluations_and_reports_are_checked_like_models(workspace, model):
    evaluation = EvaluationRef(digest="abc", where=model.where, images=1)
    report = ReportRef(digest="abc", where=model.where, experiment="small", run="1")
    assert is_whole(workspace, evaluation)
    assert is_whole(workspace, report)
    (workspace.path(model) / "model.keras").unlink()
    assert not is_whole(workspace, evaluation)
    assert not is_whole(workspace, report)


def test_nothing_is_whole_in_an_empty_workspace(workspace):
    features = FeaturesRef(
        digest="a", where="features/x/sets/a.json", space="x", shape=(1,), images=1
    )
    model = ModelRef(digest="a", where="models/a", classes=("cat",), repeats=1)
    collection = CollectionRef(digest="a", where="manifests/a.parquet", images=1, rows=1)
    assert not any(is_whole(workspace, reference) for reference in (features, model, collection))
