import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import NotEnoughPictures
from tasks.split import in_order
from tests.project import examples
from tests.tasks.split.tables import images, linked, torn


def numbers(train, validation=0, test=0):
    return {"train": train, "validation": validation, "test": test}


def test_each_class_gives_the_first_to_train_the_next_to_validation_then_test():
    table = images(cat=[1] * 6, dog=[1] * 7)
    places = in_order.assign(table, numbers(3, 2, 1)).tolist()
    first = ["train"] * 3 + ["validation"] * 2 + ["test"]
    assert places == [*first, *first, ""]


def test_classes_may_be_interleaved():
    table = images(cat=[1] * 4, dog=[1] * 4).iloc[[0, 4, 1, 5, 2, 6, 3, 7]].reset_index(drop=True)
    places = in_order.assign(table, numbers(2, 1, 1)).tolist()
    assert places == ["train"] * 4 + ["validation"] * 2 + ["test"] * 2


def test_near_duplicates_go_where_their_first_picture_goes():
    table = images(cat=[1, 2, 1, 1]).iloc[[0, 1, 3, 4, 2]].reset_index(drop=True)
    assert table["group"].tolist() == ["cat-0-0", "cat-1-0", "cat-2-0", "cat-3-0", "cat-1-0"]
    places = in_order.assign(table, numbers(3, 1, 1)).tolist()
    assert places == ["train", "train", "validation", "test", "train"]


def test_a_group_too_large_for_what_is_left_waits_for_the_next_split():
    table = images(cat=[1, 2, 1])
    places = in_order.assign(table, numbers(2, 2)).tolist()
    assert places == ["train", "validation", "validation", "train"]


def test_a_split_of_no_pictures_stays_empty():
    places = in_order.assign(images(cat=[1] * 3), numbers(2, 0, 1)).tolist()
    assert places == ["train", "train", "test"]


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=30),
    st.tuples(st.integers(1, 8), st.integers(0, 8), st.integers(0, 8)),
)
@examples(150)
def test_counts_are_exact_or_it_is_an_error(sizes, amounts):
    table = images(cat=sizes, dog=[1] * 30)
    try:
        places = in_order.assign(table, numbers(*amounts))
    except NotEnoughPictures:
        return
    assert torn(table, places) == []
    for _, rows in table.groupby("label"):
        found = places[rows.index].value_counts()
        assert [found.get(split, 0) for split in numbers(*amounts)] == list(amounts)
    assert table[places == ""].groupby("group").size().sum() == (places == "").sum()


@given(
    st.lists(st.integers(1, 3), min_size=4, max_size=20),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12),
    st.tuples(st.integers(1, 6), st.integers(0, 5), st.integers(0, 5)),
)
@examples(150)
def test_counts_are_exact_and_groups_of_several_classes_whole_or_it_is_an_error(
    sizes, pairs, amounts
):
    table = linked(images(cat=sizes, dog=[1] * 20), pairs)
    try:
        places = in_order.assign(table, numbers(*amounts))
    except NotEnoughPictures:
        return
    for _, group in table.groupby("group"):
        assert places[group.index].nunique() == 1
    for _, rows in table.groupby("label"):
        found = places[rows.index].value_counts()
        assert [found.get(split, 0) for split in numbers(*amounts)] == list(amounts)


def test_a_group_of_two_classes_waits_until_both_have_room():
    table = linked(images(cat=[1, 1, 1], dog=[2, 1]), [(0, 3)])
    places = in_order.assign(table, numbers(1, 2))
    assert dict(zip(table["image"], places, strict=True)) == {
        "cat-0-0": "validation",
        "cat-1-0": "train",
        "cat-2-0": "validation",
        "dog-0-0": "validation",
        "dog-0-1": "validation",
        "dog-1-0": "train",
    }


def test_a_group_of_two_classes_that_fits_nowhere_is_left_out_as_a_whole():
    table = linked(images(cat=[1, 1, 1], dog=[2, 1, 1]), [(0, 3)])
    places = in_order.assign(table, numbers(1, 1)).tolist()
    assert places == ["", "train", "validation", "", "", "train", "validation"]


def test_places_that_only_a_group_of_another_class_could_fill_name_that_class():
    table = linked(images(cat=[1, 1], dog=[2, 1]), [(0, 2)])
    with pytest.raises(NotEnoughPictures, match=r"'cat': 1 places in test .* class 'dog'"):
        in_order.assign(table, numbers(1, 0, 1))


@given(st.integers(1, 20), st.tuples(st.integers(1, 6), st.integers(0, 6), st.integers(0, 6)))
@examples(60)
def test_single_pictures_are_taken_in_their_order(count, amounts):
    table = images(cat=[1] * count)
    expected = [split for split, n in numbers(*amounts).items() for _ in range(n)]
    if len(expected) > count:
        with pytest.raises(NotEnoughPictures):
            in_order.assign(table, numbers(*amounts))
    else:
        found = in_order.assign(table, numbers(*amounts)).tolist()
        assert found == expected + [""] * (count - len(expected))


def test_too_few_pictures_say_how_many_there_are_and_how_many_are_needed():
    with pytest.raises(NotEnoughPictures) as failure:
        in_order.assign(images(cat=[1] * 9, dog=[1] * 4), numbers(5, 2, 1))
    message = str(failure.value)
    assert "class 'dog' has 4 usable pictures" in message
    assert "needs 8 (train 5, validation 2, test 1)" in message
    assert "split.counts" in message


def test_places_that_only_a_torn_group_could_fill_are_an_error():
    with pytest.raises(NotEnoughPictures, match="'cat': 1 places in train"):
        in_order.assign(images(cat=[2, 2, 2]), numbers(3, 2))
