"""Which class a picture's name claims."""

import pytest

from tasks.classify.name_labels import claimed

PETS = ("cat", "dog")


@pytest.mark.parametrize(
    ("file", "class_"),
    [
        ("cat.0.jpg", "cat"),
        ("dog_001.png", "dog"),
        ("my-cat2.jpeg", "cat"),
        ("CAT.JPG", "cat"),
        ("2dogs.jpg", ""),
        ("catalogue.jpg", ""),
        ("hotdog.jpg", ""),
        ("wildcat7.jpg", ""),
        ("cat-and-dog.jpg", ""),
        ("picture.cat", ""),  # a suffix is no word of the name
        ("1.jpg", ""),
        ("", ""),
    ],
)
def test_a_class_is_claimed_by_a_whole_word_of_the_file_name(file, class_):
    assert claimed(file, "", PETS) == class_


@pytest.mark.parametrize(
    ("file", "folder", "class_"),
    [
        ("1.jpg", "dog", "dog"),
        ("1.jpg", "dogs", ""),
        ("cat.1.jpg", "dog", "cat"),
        ("cat_dog.jpg", "dog", ""),
        ("1.jpg", "cat or dog", ""),
        ("1.jpg", "my dog", ""),
        ("1.jpg", "Dog_", "dog"),
    ],
)
def test_the_folder_is_asked_only_where_the_file_names_no_class(file, folder, class_):
    assert claimed(file, folder, PETS) == class_


@pytest.mark.parametrize(
    ("file", "class_"),
    [
        ("red_fox_1.jpg", "red fox"),
        ("fox1.jpg", "fox"),
        ("fox and red fox.jpg", ""),
        ("redfox.jpg", ""),
    ],
)
def test_the_longer_of_two_names_counts(file, class_):
    assert claimed(file, "", ("fox", "red fox")) == class_


@pytest.mark.parametrize(
    ("file", "class_"),
    [("3.17.png", "3"), ("3.5.png", "3"), ("13.png", ""), ("digit_3.png", "3"), ("3_5.png", "")],
)
def test_classes_may_be_numbers(file, class_):
    assert claimed(file, "", tuple("0123456789")) == class_


@pytest.mark.parametrize(("folder", "class_"), [("test1", ""), ("1", "1"), ("2024-1", "")])
def test_of_a_folder_every_word_counts(folder, class_):
    assert claimed("17.jpg", folder, tuple("0123456789")) == class_


def test_accents_count_however_they_are_written():
    assert claimed("mu\u0308ller-2.jpg", "", ("müller", "muller")) == "müller"


def test_names_that_differ_only_in_case_are_not_told_apart():
    assert claimed("cat-1.jpg", "", ("Cat", "CAT")) == ""


def test_a_class_without_a_word_is_never_claimed():
    assert claimed("__.jpg", "-", ("-", "_")) == ""


def test_an_endless_name_takes_no_endless_time():
    assert claimed("a-" * 500_000 + ".jpg", "", ("b", "a-a")) == "a-a"
