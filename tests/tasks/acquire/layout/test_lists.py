"""Lists of the pictures of each split."""

import pytest

from storage.errors import SourceError, SourceMissing
from tests.tasks.acquire.layout.conftest import class_folders, labels_of

FILES = class_folders(["cat", "hot dog"], 4)


def lists(**splits):
    return {f"{split}.txt": "\n".join(names).encode() for split, names in splits.items()}


@pytest.mark.parametrize(
    "form",
    ["{0}/{1}.jpg", "{0}/{1}", "./{0}/{1}.jpg", "images/{0}/{1}.jpg", "{0}\\{1}.JPG",
     "/data/x/{0}/{1}.jpg", "{0}/{1}.jpg 7"],
)  # fmt: skip
def test_lists_give_the_splits(form, container, taken):
    wanted = lists(
        train=[form.format(label, i) for label in ("cat", "hot dog") for i in (0, 1)],
        test=[form.format("cat", 2), form.format("hot dog", 3)],
    )
    if form.endswith(" 7"):
        wanted = {name: data.replace(b"hot dog", b"cat") for name, data in wanted.items()}
        wanted["train.txt"] = b"cat/0.jpg 7\ncat/1.jpg 7"
        wanted["test.txt"] = b"cat/2.jpg 7"
    found = taken(container(FILES | wanted), lists={"train": "train.txt", "test": "test.txt"})
    counts = labels_of(found.table)
    assert counts["cat", "train"] == 2
    assert counts["cat", "test"] == counts["cat", ""] == 1
    assert "splits as train.txt, test.txt have them" in found.remarks[0]


def test_lists_may_lie_elsewhere_on_disk(container, taken, tmp_path):
    (tmp_path / "mine.txt").write_text("cat/3.jpg\nhot dog/3.jpg\n")
    found = taken(container(FILES), lists={"test": str(tmp_path / "mine.txt")})
    assert labels_of(found.table) == {
        ("cat", "test"): 1, ("hot dog", "test"): 1, ("cat", "train"): 3, ("hot dog", "train"): 3,
    }  # fmt: skip


def test_what_is_listed_twice_or_is_not_there_is_told(container, taken):
    wanted = lists(train=["cat/0.jpg", "cat/0.jpg", "cow/1.jpg"])
    found = taken(container(FILES | wanted), lists={"train": "train.txt"})
    assert labels_of(found.table)["cat", "train"] == 1
    assert "1 lines of train.txt name no picture ('cow/1.jpg')" in found.remarks
    assert "1 lines of train.txt name a picture again" in found.remarks


def test_a_picture_in_two_lists_is_an_error(container, taken):
    wanted = lists(train=["cat/0.jpg", "cat/1.jpg"], test=["cat/1.jpg", "cat/2.jpg"])
    with pytest.raises(SourceError, match=r"1 pictures are listed in two splits \('cat/1.jpg'\)"):
        taken(container(FILES | wanted), lists={"train": "train.txt", "test": "test.txt"})


def test_a_list_of_other_pictures_is_an_error(container, taken):
    with pytest.raises(SourceError, match=r"train.txt names no picture: it has 'x/1', .*'cat/0"):
        taken(container(FILES | lists(train=["x/1", "y/2"])), lists={"train": "train.txt"})
    with pytest.raises(SourceMissing, match=r"expected the list of test at none.txt"):
        taken(container(FILES), lists={"test": "none.txt"})
