"""Several backbones: each computed once, heads see the averages of all, and so does the model."""

import numpy as np
import pytest
from pydantic import ValidationError

from flows.parameters import Experiment, Features, FineTuned
from storage.features import FeatureSpace, FeatureTable
from storage.shards import ShardStore
from storage.workspace import Workspace
from tasks.evaluate import parity
from tests.flows.conftest import parameters

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
