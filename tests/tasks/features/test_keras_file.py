"""Models from strangers are looked at before Keras sees them."""

import contextlib
import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import digests
from storage.errors import DarkroomError, ParameterError, StorageDamaged
from tasks.features.keras_file import CONFIG, DEEPEST, MEMBERS, own, require_plain
from tasks.running.tensorflow import load_keras
from tests.project import examples

DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}}


def file_of(folder, config, more=()):
    path = folder / "model.keras"
    with zipfile.ZipFile(path, "w") as whole:
        whole.writestr("metadata.json", "{}")
        whole.writestr(CONFIG, config if isinstance(config, str | bytes) else json.dumps(config))
        for name, content in more:
            whole.writestr(name, content)
    return path


@pytest.mark.parametrize("how", ["sequential", "functional", "nested", "compiled"])
def test_what_keras_saves_of_its_own_layers_is_plain(tmp_path, how):
    keras = load_keras()
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(2, 3, kernel_regularizer="l2", activation="gelu")(inputs)
    x = keras.layers.BatchNormalization(dtype="mixed_bfloat16")(keras.ops.sqrt(x + 1.0))
    x = keras.layers.Flatten()(keras.layers.RandomFlip(seed=1)(x))
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x))
    if how == "sequential":
        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)])
    if how == "nested":
        outer = keras.Input((8, 8, 3))
        model = keras.Model(outer, model(keras.layers.Rescaling(2.0)(outer)))
    if how == "compiled":
        rate = keras.optimizers.schedules.CosineDecay(0.1, 10)
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
        model.compile(keras.optimizers.AdamW(rate), loss, metrics=["accuracy"])
    model.save(tmp_path / "model.keras")
    require_plain(tmp_path / "model.keras")
    if how == "sequential":  # plain, but not for pictures
        with pytest.raises(ParameterError, match=r"found \[None, 8\]"):
            own(tmp_path / "model.keras")
        return
    name, side = own(tmp_path / "model.keras")
    assert name == f"model@{digests.of_file(tmp_path / 'model.keras')[:16]}"
    assert side == 8


def test_a_lambda_layer_is_refused(tmp_path):
    keras = load_keras()
    model = keras.Sequential([keras.Input((8,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "model.keras")
    with pytest.raises(ParameterError, match="which could run anything"):
        require_plain(tmp_path / "model.keras")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "function"),
        ("os", "system"),
        ("keras.utils", "get_file"),
        ("keras.src.saving.saving_lib", "load_model"),
        ("keras.layers", "TFSMLayer"),
        ("kerasx.layers", "Dense"),
        (None, "Dense"),
        ("", "eval"),
    ],
)
def test_what_is_no_part_of_keras_is_refused_wherever_it_stands(tmp_path, module, name):
    asked = {"module": module, "class_name": name, "config": {}}
    for config in (asked, {"config": {"layers": [DENSE, {"config": {"activation": asked}}]}}):
        with pytest.raises(ParameterError, match=name):
            require_plain(file_of(tmp_path, config))


@pytest.mark.parametrize(
    "config",
    [
        b"", b"{", b"\xff\xfe\xff", "[" * 100_000, '{"a":' * 100_000,
        "[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), b" " * (MEMBERS[CONFIG] + 1),
    ],
    ids=["empty", "half", "no text", "lists", "objects", "too deep", "too long"],
)  # fmt: skip
def test_a_description_that_is_none_is_said_to_be_none(tmp_path, config):
    with pytest.raises(
        StorageDamaged, match=r"expected a model that Keras saved at .*model\.keras"
    ):
        require_plain(file_of(tmp_path, config))


def test_members_that_no_model_has_are_refused(tmp_path):
    with pytest.raises(StorageDamaged, match=r"the member 'assets/x\.pkl'"):
        require_plain(file_of(tmp_path, DENSE, [("assets/x.pkl", b"x")]))


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_zip_is_said_to_be_none(tmp_path, content):
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(StorageDamaged):
        require_plain(tmp_path / "model.keras")


def test_a_file_that_is_not_there_is_said_to_be_none(tmp_path):
    for look in (require_plain, own):
        with pytest.raises(StorageDamaged):
            look(tmp_path / "model.keras")


@examples(100)
@given(content=st.binary(max_size=300), place=st.integers(0, 250))
def test_whatever_the_bytes_it_ends_in_an_error_of_our_own(tmp_path_factory, content, place):
    folder = tmp_path_factory.mktemp("hostile")
    path = file_of(folder, DENSE)
    whole = path.read_bytes()
    path.write_bytes(whole[:place] + content + whole[place + len(content) :])
    with contextlib.suppress(DarkroomError):
        require_plain(path)
