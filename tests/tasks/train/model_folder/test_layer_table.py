"""A network as plain values."""

import json

import pytest

from tasks.running.tensorflow import load_keras
from tasks.train.model_folder.layer_table import described


def nested(*, trainable=False):
    """pictures -> resizing -> backbone (base (first, second), scaled) -> out, and a side way."""
    keras = load_keras()
    layers = keras.layers
    given = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, name="first")(given)
    base = keras.Model(given, layers.BatchNormalization(name="second")(x), name="base")
    base.trainable = trainable
    given = keras.Input((8, 8, 3))
    backbone = keras.Model(
        given, layers.Rescaling(0.5, name="scaled")(base(given)), name="backbone"
    )
    pictures = keras.Input((None, None, 3), name="pictures")
    maps = backbone(layers.Resizing(8, 8, name="resizing")(pictures))
    pooled = layers.GlobalAveragePooling2D(name="pooled")(maps)
    dense = layers.Dense(4, name="dense")(pooled)
    both = layers.Concatenate(name="both")([1.0 - dense, pooled])
    return keras.Model(pictures, layers.Dropout(0.5, name="dropped")(both), name="whole")


def by_name(rows):
    return {row["name"]: row for row in rows}


def fed_by(rows):
    return {row["name"]: [rows[number]["name"] for number in row["after"]] for row in rows}


def test_nested_models_are_opened_in_their_place():
    rows = described(nested())
    names = [row["name"] for row in rows]
    assert names[:5] == ["pictures", "resizing", "first", "second", "scaled"]
    assert names[-2:] == ["both", "dropped"]
    found = by_name(rows)
    assert found["resizing"]["inside"] == []
    assert found["first"]["inside"] == found["second"]["inside"] == ["backbone", "base"]
    assert found["scaled"]["inside"] == ["backbone"]


def test_every_row_says_what_its_layer_is():
    found = by_name(described(nested()))
    assert found["first"]["kind"] == "Conv2D"
    assert found["first"]["shape"] == [None, 6, 6, 4]
    assert found["pictures"]["shape"] == [None, None, None, 3]
    assert (found["first"]["parameters"], found["first"]["trainable"]) == (112, 0)
    assert (found["second"]["parameters"], found["second"]["trainable"]) == (16, 0)
    assert (found["dense"]["parameters"], found["dense"]["trainable"]) == (20, 20)
    assert by_name(described(nested(trainable=True)))["second"]["trainable"] == 8


def test_what_feeds_what_goes_through_nested_models_and_arithmetic():
    found = fed_by(described(nested()))
    minus = next(name for name in found if name.startswith("subtract"))
    assert found["pictures"] == []
    assert found["first"] == ["resizing"]
    assert found["scaled"] == ["second"]
    assert found["pooled"] == ["scaled"]
    assert found[minus] == ["dense"]
    assert found["both"] == [minus, "pooled"]


def test_a_part_that_is_used_twice_is_fed_by_both():
    keras = load_keras()
    given = keras.Input((4, 4, 3), name="given")
    inner = keras.Input((4, 4, 3))
    part = keras.Model(inner, keras.layers.Conv2D(2, 3, name="shared")(inner), name="part")
    turned = keras.layers.Permute((2, 1, 3), name="turned")(given)
    mean = keras.layers.Average(name="mean")([part(given), part(turned)])
    rows = described(keras.Model(given, mean))
    assert fed_by(rows)["shared"] == ["given", "turned"]
    assert sum(row["parameters"] for row in rows) == 56


def test_totals_are_those_of_keras():
    model = nested()
    rows = json.loads(json.dumps(described(model)))
    assert sum(row["parameters"] for row in rows) == model.count_params()
    trained = sum(int(weight.shape[0]) * (weight.shape[1] if len(weight.shape) > 1 else 1)
                  for weight in model.trainable_weights)  # fmt: skip
    assert sum(row["trainable"] for row in rows) == trained


def test_a_chain_without_a_graph_feeds_on():
    keras = load_keras()
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, name="a"),
            layers.Dense(2, name="b"),
            layers.Softmax(name="c"),
        ]
    )
    rows = described(model)
    assert fed_by(rows) == {"a": [], "b": ["a"], "c": ["b"]}
    given = keras.Input((4,), name="given")
    assert fed_by(described(keras.Model(given, model(given)))) == {
        "given": [], "a": ["given"], "b": ["a"], "c": ["b"]
    }  # fmt: skip


@pytest.mark.parametrize("name", ["MobileNetV2", "ResNet50"])
def test_networks_with_side_ways_are_described_whole(name):
    keras = load_keras()
    model = getattr(keras.applications, name)(
        weights=None, include_top=False, input_shape=(32, 32, 3)
    )
    rows = described(model)
    assert len(rows) == len(model.layers)
    assert sum(row["parameters"] for row in rows) == model.count_params()
    assert all(number < place for place, row in enumerate(rows) for number in row["after"])
    additions = [row for row in rows if row["kind"] == "Add"]
    assert additions
    assert all(len(row["after"]) == 2 for row in additions)
