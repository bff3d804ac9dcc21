from typing import get_args

import pytest
from pydantic import ValidationError

from tasks.split.parameters import LARGEST_TREE, Counts, Fractions, Rule, Split
from tasks.split.rules import COLUMNS, RULES, assign
from tests.tasks.split.tables import images


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"train": 0.8, "validation": 0.1, "test": 0.2}, "should be 1, found 1.1"),
        ({"train": 0.5, "validation": 0.1, "test": 0.1}, "should be 1, found 0.7"),
        ({"train": 0, "validation": 0.5, "test": 0.5}, "train"),
        ({"train": 1.2, "validation": -0.1, "test": -0.1}, "train"),
        ({"train": float("nan"), "validation": 0.5, "test": 0.5}, "train"),
        ({"train": 0.8, "valid": 0.1, "test": 0.1}, "valid"),
    ],
)
def test_fractions_that_make_no_whole_are_refused(values, reason):
    with pytest.raises(ValidationError, match=reason):
        Fractions(**values)


@pytest.mark.parametrize("test", [0.1, 0.1 + 1e-9])
def test_fractions_may_be_off_by_rounding(test):
    assert Fractions(train=0.7, validation=0.2, test=test).shares()["test"] == test


def test_everything_may_be_for_training():
    assert Fractions(train=1, validation=0, test=0).shares() == {
        "train": 1,
        "validation": 0,
        "test": 0,
    }


@pytest.mark.parametrize("values", [{"train": 0}, {"train": -1}, {"train": 1.5}, {"test": 3}])
def test_counts_are_whole_and_train_something(values):
    with pytest.raises(ValidationError):
        Counts(**values)


def test_rules_are_frozen():
    with pytest.raises(ValidationError):
        Counts(train=3).train = 4


@pytest.mark.parametrize(
    ("rule", "amounts", "expected"),
    [
        ("in_order", {"fractions": Fractions()}, "in_order takes counts"),
        ("stratified", {"counts": Counts(train=1)}, "stratified takes fractions"),
        ("sticky", {"counts": Counts(train=1)}, "sticky takes fractions"),
    ],
)
def test_a_rule_refuses_amounts_of_the_other_kind(rule, amounts, expected):
    with pytest.raises(ValidationError, match=expected):
        Split(rule=rule, **amounts)


def test_every_rule_has_its_entry():
    assert set(RULES) == set(get_args(Rule))


def test_an_assignment_is_the_images_and_their_split():
    found = assign(images(cat=[1] * 10), Split(rule="stratified"), {})[0]
    assert list(found.columns) == [*COLUMNS, "split"]
    assert found["split"].value_counts().to_dict() == {"train": 8, "validation": 1, "test": 1}


def test_only_sticky_heeds_what_was_before():
    found = images(cat=[1] * 10)
    earlier = dict(zip(found["image"], ["test"] * 3 + ["train"] * 6 + ["validation"], strict=True))
    sticky = assign(found, Split(), earlier)[0]["split"].tolist()
    stratified = assign(found, Split(rule="stratified"), earlier)[0]["split"].tolist()
    assert sticky == list(earlier.values())
    fresh = assign(found, Split(rule="stratified"), {})[0]["split"].tolist()
    assert stratified == fresh != sticky


@pytest.mark.parametrize("label", ["a b", "Ünï", "<script>", "..", "1", "nan", ""])
def test_class_names_are_only_names(label):
    found = images(**{label: [1] * 10, "other": [1] * 10})
    places, _ = assign(found, Split(rule="stratified"), {})
    assert (places["split"] != "").all()


@pytest.mark.parametrize(
    ("tree", "pictures", "wanted"),
    [(None, LARGEST_TREE, True), (None, LARGEST_TREE + 1, False), (True, 10**6, True),
     (False, 10, False)],
)  # fmt: skip
def test_a_large_collection_is_laid_out_as_folders_only_if_that_is_asked_for(
    tree, pictures, wanted
):
    assert Split(tree=tree).wants_tree(pictures) == wanted
