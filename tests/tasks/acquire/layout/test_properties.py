"""Whatever the layout: pictures in are pictures kept and rows with a reason, labels as written."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.workspace import Workspace
from tasks.acquire import kinds
from tasks.acquire.gathering import Gathering
from tasks.running.progress import silent
from tests.project import examples
from tests.tasks.acquire.layout.conftest import csv_of, packed, picture

WORDS = st.text("abcXYZ 0123456789-_äöéß猫", min_size=1, max_size=8).map(str.strip).filter(bool)
CLASSES = st.lists(
    WORDS.filter(lambda word: any(sign in word for sign in string.ascii_letters)),
    min_size=2, max_size=4, unique_by=lambda word: "".join(word.casefold().split()),
)  # fmt: skip


@st.composite
def data_sets(draw):
    """(files, name -> label as it was written): class folders, split folders or a table."""
    classes = draw(CLASSES)
    layout = draw(st.sampled_from(["folders", "splits", "table", "no header", "one-hot"]))
    number = draw(st.integers(2, 5))
    before = draw(st.sampled_from(["", "data/", "a/b/"]))
    right, rows = {}, []
    for place, label in enumerate(classes):
        for i in range(number):
            stem = f"{draw(st.sampled_from(['img', 'IMG_', 'p-']))}{place}{i:03}"
            if layout == "folders":
                name = f"{before}{label}/{stem}.jpg"
            elif layout == "splits":
                name = f"{before}{['train', 'test'][i % 2]}/{label}/{stem}.jpg"
            else:
                name = f"{before}{stem}.jpg"
                written = draw(
                    st.sampled_from([name, name.replace("/", "\\"), stem, f"{stem}.JPG"])
                )
                ones = [int(other == label) for other in classes]
                rows.append((written, *ones) if layout == "one-hot" else (written, label))
            right[name] = label
    files = {name: picture(name) for name in right}
    if rows:
        header = {"table": [("image", "label")], "no header": [], "one-hot": [("image", *classes)]}
        encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
        delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
        files["labels.csv"] = csv_of([*header[layout], *rows], delimiter, encoding)
    return files, right


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
@examples(60)
@given(data_set=data_sets())
def test_nothing_is_lost_and_no_label_differs(kind, tmp_path_factory, data_set):
    files, right = data_set
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    source = packed(kind, tmp_path_factory.mktemp("source"), files)
    table = kinds.rows(source, Gathering(workspace, "no", silent)).table
    assert sorted(table["name"]) == sorted(files)
    kept = table[table["status"] == "kept"]
    rest = table[table["status"] != "kept"]
    assert (rest["reason"] != "").all()
    assert {name: right[name] for name in kept["name"]} == dict(
        zip(kept["name"], kept["label"], strict=True)
    )
    assert len(kept) + len(rest) == len(files)
    assert len(kept) == len(right)
