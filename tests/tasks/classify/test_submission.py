"""Submissions for Kaggle."""

from pathlib import PurePosixPath

import pytest

from storage.errors import ParameterError
from tasks.classify import submission
from tasks.classify.pictures import Pictures


def prediction(name, *probabilities):
    from tasks.classify.predictions import Prediction

    place = PurePosixPath(name)
    if not probabilities:
        return Prediction(name, place, "empty: 0 bytes")
    return Prediction(name, place, "", "x", max(probabilities), probabilities)


def test_ids_are_in_numeric_order_and_probabilities_clipped(tmp_path):
    rows = [
        prediction("test1/10.jpg", 0.0, 1.0),
        prediction("test1/9.jpg", 1.0, 0.0),
        prediction("test1/2.jpg", 0.75, 0.25),
        prediction("test1/1.jpg"),
    ]
    submission.write(tmp_path / "s.csv", rows, 1, 0.005)
    text = (tmp_path / "s.csv").read_bytes()
    assert text == b"id,label\n1,0.5\n2,0.25\n9,0.005\n10,0.995\n"


def test_without_clipping_probabilities_stay_as_they_are(tmp_path):
    rows = [prediction("1.jpg", 0.0, 1.0), prediction("2.jpg", 0.9999999, 1e-7)]
    submission.write(tmp_path / "s.csv", rows, 1, 0)
    assert (tmp_path / "s.csv").read_text() == "id,label\n1,1\n2,1e-07\n"


def test_the_class_is_the_second_one_or_the_one_asked_for():
    assert submission.class_of(None, ("cat", "dog")) == 1
    assert submission.class_of("cat", ("cat", "dog")) == 0
    with pytest.raises(ParameterError, match="'cow': there are cat, dog"):
        submission.class_of("cow", ("cat", "dog"))


def places(*names):
    return [PurePosixPath(name) for name in names]


def test_numbers_are_the_stems():
    assert submission.numbers(places("a/10.jpg", "b/007.png")) == [10, 7]


@pytest.mark.parametrize("name", ["cat.1.jpg", "one.jpg", "-1.jpg", "1a.jpg", "²2.jpg", "9" * 30])
def test_names_without_a_number_are_named(name):
    with pytest.raises(ParameterError) as failure:
        submission.numbers(places("1.jpg", name))
    assert name in str(failure.value)


def test_doubles_are_named_and_many_are_counted():
    with pytest.raises(ParameterError, match="more than one picture for 2, 7: leave out"):
        submission.numbers(places("a/2.jpg", "b/02.jpg", "7.jpg", "7.png", "1.jpg"))
    with pytest.raises(ParameterError, match="and 90 more"):
        submission.numbers(places(*(f"x{n}" for n in range(100))))


@pytest.mark.parametrize("clip", [-0.1, 0.5, 1, float("nan")])
def test_a_clip_that_leaves_nothing_is_refused(clip):
    with pytest.raises(ParameterError, match="--clip"):
        submission.count(Pictures([]), clip)
