"""Every kind of model that can be trained has its entry, and strange feature spaces are errors."""

from typing import get_args

import pytest

from storage.errors import StorageDamaged
from storage.features import FeatureSpace
from tasks.train.parameters import Trained
from tasks.train.parts import PARTS, backbone_of

SPACE = FeatureSpace(
    backbone="VGG16", weights="w", layer="last", image_size=64, resizing="r",
    preprocessing="imagenet", mode="caffe", precision="float32", shape=(2, 2, 512),
)  # fmt: skip


def test_every_trained_part_has_its_entry():
    assert set(PARTS) == set(get_args(Trained))
    assert len({part.kind for part in PARTS.values()}) == len(PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_what_is_stored_of_a_part_does_not_hide_its_kind(part):
    given = part(network="lenet5") if "network" in part.model_fields else part()
    assert "kind" not in PARTS[part].facts(given)


def test_the_backbone_of_a_space_is_the_one_that_made_it():
    backbone = backbone_of(SPACE.model_copy(update={"preprocessing": "rescale", "mode": "rescale"}))
    assert (backbone.mode, backbone.layer, backbone.image_size) == ("rescale", None, 64)
    assert backbone_of(SPACE).mode == "caffe"


@pytest.mark.parametrize("change", [{"preprocessing": "tf"}, {"precision": "int8"}])
def test_an_unknown_preprocessing_or_precision_is_an_error(change):
    with pytest.raises(StorageDamaged, match="expected a feature space of a known backbone"):
        backbone_of(SPACE.model_copy(update=change))
