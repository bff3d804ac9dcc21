"""The same model saved twice is the same file."""

import json
import time
import zipfile

import numpy as np
import pytest

from tasks.train.model_folder.same_bytes import settle


@pytest.fixture
def model():
    """One layer that is used twice, and a policy that several layers share."""
    import keras

    inputs = keras.Input((4,), name="inputs")
    shared = keras.layers.Dense(4, dtype="mixed_bfloat16", name="shared")
    out = keras.layers.Dense(2, dtype="mixed_bfloat16", name="out")(shared(shared(inputs)))
    return keras.Model(inputs, out, name="twice")


def test_the_same_model_is_the_same_bytes_and_still_itself(model, tmp_path):
    import keras

    files = [tmp_path / "one.keras", tmp_path / "two.keras"]
    for file in files:
        model.save(file)
        settle(file)
        time.sleep(1.1)  # dates of files have seconds
    again = keras.saving.load_model(files[0])
    third = tmp_path / "three.keras"
    again.save(third)
    settle(third)
    # Objects of another process lie elsewhere in memory.
    assert len({file.read_bytes() for file in (*files, third)}) == 1
    values = np.ones((3, 4), np.float32)
    assert np.array_equal(again.predict(values, verbose=0), model.predict(values, verbose=0))


def test_objects_that_were_shared_still_are(model, tmp_path):
    file = tmp_path / "model.keras"
    model.save(file)
    before = shared_objects(file)
    settle(file)
    after = shared_objects(file)
    assert [before.index(one) for one in before] == [after.index(one) for one in after]
    assert set(after) <= set(range(1, len(after) + 1))


def shared_objects(file):
    found = []

    def noted(pairs):
        found.extend(value for name, value in pairs if name == "shared_object_id")
        return dict(pairs)

    with zipfile.ZipFile(file) as archive:
        json.loads(archive.read("config.json"), object_pairs_hook=noted)
    return found
