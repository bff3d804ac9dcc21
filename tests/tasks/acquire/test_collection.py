"""From files found to a collection: every file a row, every picture stored once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import manifests
from storage.errors import NoUsablePictures
from storage.images import ImageStore
from storage.statuses import Status
from storage.wholeness import is_whole
from storage.workspace import Workspace
from tasks.acquire.collection import COLUMNS, Collected, collect_labelled, save
from tasks.acquire.files import Found
from tasks.acquire.gathering import Gathering
from tasks.acquire.layout.understanding import by_pattern
from tasks.acquire.parameters import KAGGLE_NAMES
from tests.pictures import picture
from tests.project import examples

CAT, DOG = picture(1), picture(2)
LABEL = by_pattern(KAGGLE_NAMES)


def by_folder(name):
    return name.rpartition("/")[0].rpartition("/")[2]


@pytest.fixture
def table_of(workspace):
    def make(*files, label=LABEL, advance=lambda count: None):
        gathering = Gathering(workspace, "no", advance)
        return collect_labelled(files, label, "x.zip", gathering).table

    return make


def test_every_file_is_a_row_in_natural_order(table_of):
    names = ["cat.10.jpg", "cat.9.jpg", "b/cat.1.jpg", "notes.txt", "cat.1.jpg"]
    table = table_of(*(Found(name, name.encode()) for name in names))
    assert list(table.columns) == list(COLUMNS)
    assert list(table["name"]) == [
        "b/cat.1.jpg",
        "cat.1.jpg",
        "cat.9.jpg",
        "cat.10.jpg",
        "notes.txt",
    ]


def test_a_row_says_where_the_picture_is_and_how_large(table_of, workspace):
    row = table_of(Found("cat.0.jpg", CAT)).iloc[0]
    assert ImageStore(workspace.images).read(row["image"]) == CAT
    assert row["bytes"] == len(CAT)
    assert [row["label"], row["source"], row["status"], row["reason"]] == [
        "cat",
        "x.zip",
        "kept",
        "",
    ]


def test_what_was_turned_down_keeps_its_reason_and_stores_nothing(table_of, workspace):
    row = table_of(Found("cat.0.jpg", None, Status.ENCRYPTED, "needs a password")).iloc[0]
    assert [row["image"], row["bytes"], row["label"]] == ["", 0, "cat"]
    assert [row["status"], row["reason"]] == ["encrypted", "needs a password"]
    assert not workspace.images.exists()


def test_a_picture_without_a_label_is_stored_and_counted(table_of):
    row = table_of(Found("holiday.jpg", CAT)).iloc[0]
    assert [row["status"], row["reason"]] == ["unlabelled", "no label"]
    assert row["image"]


def test_the_same_picture_twice_is_two_rows_and_one_file(table_of, workspace):
    table = table_of(Found("cat.0.jpg", CAT), Found("dog.0.jpg", CAT))
    assert table["image"].nunique() == 1
    assert len(list(ImageStore(workspace.images).names())) == 1


def test_progress_moves_once_per_file(table_of):
    steps = []
    table_of(
        Found("cat.0.jpg", CAT), Found("a.txt", None, Status.NOT_A_PICTURE), advance=steps.append
    )
    assert steps == [1, 1]


ODD_NAMES = [
    "two words/1.jpg",
    "ünï 猫/1.jpg",
    "<script>/1.jpg",
    "caf\udce9/1.jpg",
    "9" * 5000 + "/1.jpg",
]


@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
def test_odd_names_and_labels_can_be_saved(table_of, workspace, name):
    table = table_of(Found(name, CAT), label=by_folder)
    reference = save(workspace, Collected("x.zip", table))
    loaded = manifests.load(workspace.path(reference))
    assert manifests.content_digest(loaded) == reference.digest
    assert loaded["label"][0]


@examples(40)
@given(
    files=st.lists(
        st.tuples(st.text(st.sampled_from("a1/.é\udce9"), max_size=6), st.binary(max_size=2)),
        min_size=1,
        max_size=6,
    ),
    order=st.randoms(use_true_random=False),
)
def test_the_digest_depends_on_the_files_not_on_their_order(tmp_path_factory, files, order):
    workspace = Workspace(tmp_path_factory.mktemp("collection"))
    unique = list(dict(files).items())
    references = []
    for _ in range(2):
        found = [Found(name, data) for name, data in unique]
        gathering = Gathering(workspace, "no", lambda count: None)
        references.append(
            save(workspace, collect_labelled(found, lambda name: "cat", "x", gathering))
        )
        order.shuffle(unique)
    assert references[0] == references[1]
    assert is_whole(workspace, references[0])


def test_the_reference_counts_pictures_and_rows(table_of, workspace):
    table = table_of(Found("cat.0.jpg", CAT), Found("x.jpg", DOG), Found("dog.1.jpg", DOG))
    reference = save(workspace, Collected("x.zip", table))
    assert (reference.images, reference.rows) == (2, 3)


def test_no_labelled_picture_is_an_error_that_counts_what_there_was(table_of, workspace):
    table = table_of(Found("x.jpg", CAT), Found("a.txt", None, Status.NOT_A_PICTURE, "no"))
    with pytest.raises(NoUsablePictures, match=r"x\.zip, found 1 .*, 1 .*darkroom inspect"):
        save(workspace, Collected("x.zip", table))


def test_no_file_at_all_is_an_error_that_says_so(table_of, workspace):
    with pytest.raises(NoUsablePictures, match="found no files"):
        save(workspace, Collected("x.zip", table_of()))
    assert not workspace.manifests.exists()
