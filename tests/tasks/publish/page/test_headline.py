"""The words at the top of a report: what was trained, how it was chosen, what it stands beside."""

from dataclasses import replace

import pytest

from tasks.publish.page import headline, run_page
from tasks.publish.page.run_entry import entry
from tasks.publish.parameters import PublishedFigure
from tasks.publish.wording import percent
from tasks.train.parameters import FineTuning, Frozen, Network
from tasks.train.parts import PARTS
from tests.tasks.publish import sample
from tests.tasks.publish.page.test_run_page import Seen

VGG16 = {"backbone": "VGG16", "image_size": 224, "layer": "block4_pool",
         "preprocessing": "imagenet", "precision": "bfloat16"}  # fmt: skip
PIXELS = {"backbone": "pixels", "image_size": 96, "layer": "last",
          "preprocessing": "none", "precision": "uint8"}  # fmt: skip


def trained(space, part):
    """A training.json that says what was trained, as a model's folder has it."""
    kind = PARTS[type(part)]
    about = {"kind": kind.kind, **kind.facts(part)}
    return sample.training() | {"space": space, "part": about}


@pytest.fixture
def made(workspace):
    return sample.inputs(workspace)


def without(made, *splits):
    """The same run, had these splits no pictures."""
    metrics = {name: part for name, part in made.metrics.items() if name not in splits}
    predictions = made.predictions[~made.predictions["split"].isin(splits)]
    return replace(made, metrics=metrics, predictions=predictions)


def repeated(made):
    """The same run with two seeds."""
    metrics = dict(made.metrics)
    for name in made.splits:
        accuracy = made.metrics[name]["accuracy"]
        twice = accuracy | {"repeats": accuracy["repeats"] * 2}
        metrics[name] = made.metrics[name] | {"accuracy": twice}
    return replace(made, metrics=metrics)


@pytest.mark.parametrize(
    ("space", "part", "said"),
    [
        (
            PIXELS,
            Network(network="smaller_vgg", precision="bfloat16"),
            "smaller_vgg from scratch on pictures of 96 pixels (bfloat16)",
        ),
        (
            VGG16,
            FineTuning(),
            (
                "VGG16 at 224 pixels, tuned above block4_pool, with a dense head "
                "(imagenet preprocessing, bfloat16)"
            ),
        ),
        (
            VGG16,
            Frozen(),
            "a dense head on VGG16 features at 224 pixels (imagenet preprocessing, bfloat16)",
        ),
    ],
)
def test_the_sentence_names_what_was_trained(made, space, part, said):
    run = replace(made, training=trained(space, part))
    assert f"told apart by {said}; pictures" in headline.sentence(run)
    assert said in entry(run)["sentence"]


def test_a_head_is_what_the_sample_has_trained(made):
    assert made.training["part"] == {"kind": "Head"}
    assert "a dense head on VGG16 features at 64 pixels" in headline.sentence(made)


@pytest.mark.parametrize(
    ("keep", "splits_missing", "said"),
    [
        ("best", (), "the epoch with the lowest validation loss; test pictures played no part."),
        ("last", (), "the last epoch; test pictures played no part."),
        (
            "best",
            ("validation",),
            "the epoch with the lowest training loss; test pictures played no part.",
        ),
        ("last", ("validation",), "the last epoch; test pictures played no part."),
        ("best", ("test",), "the epoch with the lowest validation loss."),
    ],
)
def test_it_is_said_which_epoch_was_kept_and_by_which_pictures(made, keep, splits_missing, said):
    run = replace(without(made, *splits_missing), training=made.training | {"keep": keep})
    assert headline.chosen(run) == f"The weights are those of {said}"


def test_the_page_says_by_what_the_published_one_of_several_seeds_was_chosen(made):
    several = repeated(made)
    assert "the published seed, the one with the lowest validation loss" in headline.chosen(several)
    alone = without(several, "validation")
    assert "the published seed, the one with the lowest training loss" in headline.chosen(alone)
    assert headline.chosen(alone) in Seen(run_page.page(alone)).text
    assert "published seed" not in headline.chosen(made)


@pytest.mark.parametrize("split", ["test", "validation"])
def test_a_published_figure_of_a_split_without_pictures_is_not_denied(made, split):
    run = replace(without(made, split), figure=PublishedFigure(accuracy=0.9, split=split))
    found = headline.verdicts(run)[0]
    assert found.text == f"The published figure is of {split} pictures, and there are none."
    assert found.tone == "neutral"


def test_without_an_earlier_model_no_first_run_is_claimed(made):
    """Reports of the same evaluation may lie before this one: they are not compared with."""
    assert headline.verdicts(made)[-1].text == "There is no earlier model to compare with."


def test_another_figure_leads_everywhere_on_the_page(workspace):
    made = sample.inputs(workspace, leading="balanced_accuracy")
    seen = Seen(run_page.page(made)).text
    assert "test balanced accuracy" in seen
    assert "Balanced accuracy by split" in seen
    assert entry(made)["headline"] == "balanced_accuracy"


def test_with_several_seeds_the_figure_says_whose_it_is(made):
    assert headline.whose(made) == ""
    several = repeated(made)
    published = several.figure_shown["published"]
    assert headline.whose(several) == f"mean of 2 seeds; the published one: {percent(published)}"
    assert headline.whose(several) in Seen(run_page.page(several)).text


def test_the_rarest_class_leads_the_curves(workspace):
    made = sample.inputs(workspace)
    rare = {**made.headline["per_class"], "cat": made.headline["per_class"]["cat"] | {"support": 1}}
    metrics = made.metrics | {"test": made.metrics["test"] | {"per_class": rare}}
    found = run_page.by_rarity(replace(made, metrics=metrics))
    assert found[0] == "cat"
