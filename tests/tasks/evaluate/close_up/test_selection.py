import pandas as pd
import pytest

from storage.errors import ParameterError
from tasks.evaluate.close_up import selection
from tasks.publish import galleries


def table_of(count=60, splits=("train", "validation", "test")):
    rows = [
        {
            "image": f"{(n * 7919) % 1000:03}.jpg",
            "name": f"train/{'cat' if n % 2 else 'dog'}.{n}.jpg",
            "split": splits[n % len(splits)],
            "label": "cat",
            "predicted": "dog",
            "correct": n % 5 == 0,
            "probability": 0.5 + (n * 31 % 50) / 100,
        }
        for n in range(count)
    ]
    return pd.DataFrame(rows)


def names_of(table, images):
    return [table.loc[table["image"] == image, "name"].item() for image in images]


def test_the_first_test_picture_in_natural_order_is_looked_at():
    table = table_of().sort_values("name", ignore_index=True)
    assert names_of(table, [selection.picture(table, None)]) == ["train/cat.5.jpg"]
    assert names_of(
        table_of(9, ("train",)), [selection.picture(table_of(9, ("train",)), None)]
    ) == ["train/cat.1.jpg"]


@pytest.mark.parametrize("name", ["train/dog.10.jpg", "dog.10.jpg", "190.jpg"])
def test_a_picture_is_known_by_its_name_its_file_or_its_stored_name(name):
    assert names_of(table_of(), [selection.picture(table_of(), name)]) == ["train/dog.10.jpg"]


@pytest.mark.parametrize("name", ["", "cat", "../dog.10.jpg", "dog.10"])
def test_a_picture_that_is_not_there_is_an_error_with_examples(name):
    with pytest.raises(ParameterError, match=r"one of 60 pictures \(train/cat.5.jpg"):
        selection.picture(table_of(), name)


def test_the_eight_are_the_same_whatever_the_order_of_the_table():
    table = table_of(300)
    eight = selection.eight(table)
    assert len(set(eight)) == selection.DRAWN_AT_RANDOM
    assert set(eight) <= set(table.loc[table["split"] == "test", "image"])
    assert selection.eight(table.sample(frac=1, random_state=1)) == eight
    assert eight != sorted(eight)


def test_fewer_pictures_than_eight_are_all_shown():
    table = table_of(9)
    assert set(selection.eight(table)) == set(table.loc[table["split"] == "test", "image"])


def test_without_test_pictures_the_eight_are_validation_pictures():
    table = table_of(splits=("train", "validation"))
    assert set(selection.eight(table)) <= set(table.loc[table["split"] == "validation", "image"])


def test_the_errors_are_the_first_that_the_page_shows():
    table = table_of(300)
    shown = table[table["split"] == "test"].reset_index(drop=True)
    expected = [tile.image for tile in galleries.errors(shown).tiles]
    assert len(expected) > selection.MOST_ERRORS
    assert selection.confident_errors(table) == expected[: selection.MOST_ERRORS]
