"""Folder trees of hard links: one place per picture, and the store is never touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import trees
from storage.errors import StorageFull
from storage.trees import Leaf
from tests.pictures import picture
from tests.project import examples
from tests.storage.conftest import everything_in

SPLITS = ("train", "validation", "test")


@pytest.fixture
def leaf(images):
    """Store a picture and make a leaf of it."""

    def make(seed, split="train", label="cat", name=None):
        stored = images.path(images.add(picture(seed)))
        return Leaf(split, label, name or f"{label}.{seed}.jpg", stored)

    return make


def test_a_leaf_is_a_hard_link_to_the_store(leaf, tmp_path):
    one = leaf(1)
    trees.grow(tmp_path / "tree", [one], SPLITS)
    link = tmp_path / "tree" / "train" / "cat" / "cat.1.jpg"
    assert link.samefile(one.file)
    assert trees.is_whole(tmp_path / "tree", [one])


def test_every_split_has_a_folder_even_if_empty(leaf, tmp_path):
    trees.grow(tmp_path / "tree", [leaf(1)], SPLITS)
    assert {path.name for path in (tmp_path / "tree").iterdir()} == set(SPLITS)


def test_growing_a_tree_opens_no_picture(leaf, tmp_path, opened):
    leaves = [leaf(seed) for seed in range(4)]
    opened.clear()
    trees.grow(tmp_path / "tree", leaves, SPLITS)
    assert trees.is_whole(tmp_path / "tree", leaves)
    assert not [path for path in opened if path.endswith(".jpg")]


def test_the_suffix_is_that_of_the_bytes_not_of_the_name(leaf):
    assert trees.leaf_paths([leaf(1, name="misnamed.png")]) == ["train/cat/misnamed.jpg"]


def test_names_that_collide_get_their_digest_in_front(leaf):
    first, second = leaf(1, name="a/cat.jpg"), leaf(2, name="b/CAT.jpg")
    digest = second.file.stem[:16]
    assert trees.leaf_paths([first, second]) == ["train/cat/cat.jpg", f"train/cat/{digest}-CAT.jpg"]


def test_a_name_made_to_collide_twice_overwrites_no_stored_picture(leaf, tmp_path, images):
    victim, third = leaf(2), leaf(3, name="x.jpg")
    clash = victim._replace(name=f"{third.file.stem[:16]}-x.jpg")
    leaves = [clash, leaf(1, name="x.jpg"), third]
    trees.grow(tmp_path / "tree", leaves, SPLITS)
    assert len(set(trees.leaf_paths(leaves))) == 3
    assert images.read(victim.file.name) == picture(2)
    assert images.read(third.file.name) == picture(3)


def test_one_picture_twice_in_a_class_is_two_leaves(leaf, tmp_path):
    leaves = [leaf(1, name="x.jpg")] * 3
    trees.grow(tmp_path / "tree", leaves, SPLITS)
    assert len(list((tmp_path / "tree" / "train" / "cat").iterdir())) == 3


@pytest.mark.parametrize(
    "label",
    ["two words", "Ünïcödé", "<script>", "../../up", ".hidden", "a/b", "猫" * 200, "con.", "-"],
)
def test_odd_class_names_stay_inside_the_tree(leaf, tmp_path, label):
    one = leaf(1, label=label, name="picture.jpg")
    trees.grow(tmp_path / "tree", [one], ["train"])
    found = [path for path in (tmp_path / "tree").rglob("*") if path.is_file()]
    assert len(found) == 1
    assert len(found[0].relative_to(tmp_path / "tree").parts) == 3
    assert trees.is_whole(tmp_path / "tree", [one])


def test_classes_that_differ_only_in_unfit_characters_keep_folders_of_their_own(leaf):
    paths = trees.leaf_paths([leaf(1, label="a:b", name="x"), leaf(2, label="a?b", name="x")])
    assert paths == ["train/a_b/x.jpg", "train/a_b_/x.jpg"]


def test_a_class_has_the_same_folder_in_every_split(leaf):
    leaves = [
        leaf(1, "train", "a:b", "1"),
        leaf(2, "train", "a?b", "2"),
        leaf(3, "test", "a?b", "3"),
        leaf(4, "test", "a:b", "4"),
    ]
    folders = [path.split("/")[1] for path in trees.leaf_paths(leaves)]
    assert folders == ["a_b", "a_b_", "a_b_", "a_b"]


labels = st.text(st.sampled_from("aA:?/. "), max_size=4)
names = st.text(st.sampled_from("xX./"), max_size=4)


@examples(100)
@given(places=st.lists(st.tuples(st.sampled_from(SPLITS), labels, names), max_size=12))
def test_no_two_leaves_share_a_place_and_no_two_classes_a_folder(tmp_path_factory, places):
    root = tmp_path_factory.mktemp("leaves")
    leaves = [Leaf(*place, root / f"{number:064x}.jpg") for number, place in enumerate(places)]
    paths = trees.leaf_paths(leaves)
    assert len({path.casefold() for path in paths}) == len(leaves)
    folder_of = {(leaf.label, path.split("/")[1]) for leaf, path in zip(leaves, paths, strict=True)}
    assert len(folder_of) == len({label for label, _ in folder_of})
    assert len(folder_of) == len({folder.casefold() for _, folder in folder_of})


def test_a_copy_serves_where_links_are_impossible(leaf, tmp_path, small_disk):
    one = leaf(1)
    trees.grow(small_disk / "tree", [one], SPLITS)
    copy = small_disk / "tree" / "train" / "cat" / "cat.1.jpg"
    assert not copy.samefile(one.file)
    assert copy.read_bytes() == picture(1)
    assert trees.is_whole(small_disk / "tree", [one])


def test_a_full_disk_leaves_no_half_tree(leaf, small_disk):
    leaves = [leaf(seed) for seed in range(50)]
    with pytest.raises(StorageFull):
        trees.grow(small_disk / "tree", leaves, SPLITS)
    assert everything_in(small_disk) == []


def test_a_tree_with_a_missing_picture_is_not_whole(leaf, tmp_path):
    leaves = [leaf(1), leaf(2)]
    trees.grow(tmp_path / "tree", leaves, SPLITS)
    (tmp_path / "tree" / "train" / "cat" / "cat.2.jpg").unlink()
    assert not trees.is_whole(tmp_path / "tree", leaves)


def test_a_missing_tree_is_not_whole(leaf, tmp_path):
    assert not trees.is_whole(tmp_path / "none", [leaf(1)])


def test_a_missing_stored_picture_leaves_no_half_tree(leaf, tmp_path):
    one = leaf(1)
    one.file.unlink()
    with pytest.raises(FileNotFoundError):
        trees.grow(tmp_path / "tree", [one], SPLITS)
    assert not (tmp_path / "tree").exists()


def test_a_large_class_has_numbered_folders_below_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(trees, "LARGEST_FOLDER", 3)
    file = tmp_path / "picture.jpg"
    file.write_bytes(b"picture")
    leaves = [trees.Leaf("train", "cat", f"{number}.jpg", file) for number in range(7)]
    leaves += [trees.Leaf("train", "dog", f"{number}.jpg", file) for number in range(3)]
    trees.grow(tmp_path / "tree", leaves, SPLITS)
    train = tmp_path / "tree" / "train"
    assert sorted(path.name for path in (train / "cat").iterdir()) == ["000", "001", "002"]
    assert [len(list((train / "cat" / name).iterdir())) for name in ("000", "001", "002")] == [
        3,
        3,
        1,
    ]
    assert len(list((train / "dog").iterdir())) == 3
    assert trees.is_whole(tmp_path / "tree", leaves)
    (train / "cat" / "002" / "6.jpg").unlink()
    assert not trees.is_whole(tmp_path / "tree", leaves)
