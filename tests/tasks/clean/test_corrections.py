"""What people corrected in a report: read from strangers' files, and applied to exactly those."""

import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import ParameterError
from storage.statuses import Status
from tasks.clean import corrections
from tests.project import examples

HEADER = "image,name,was,verdict,is,when\n"


def digest(number):
    return f"{number:064x}"


@pytest.fixture
def file(tmp_path):
    def write(*lines, name="corrections.csv", header=HEADER):
        path = tmp_path / name
        path.write_text(header + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write


def line(number, verdict, now="", was="cat", when="2026-01-01T00:00:00Z"):
    return f"{digest(number)},{number}.jpg,{was},{verdict},{now},{when}"


def rows(*labels):
    return pd.DataFrame(
        {
            "image": [f"{digest(number)}.jpg" for number in range(len(labels))],
            "name": [f"{number}.jpg" for number in range(len(labels))],
            "label": labels,
            "status": Status.KEPT,
            "reason": "",
        }
    )


def applied(table, *files, **how):
    return corrections.apply(table, corrections.read(files), **how)


def test_exactly_what_was_said_changes(file):
    table = rows("cat", "cat", "dog", "dog", "cat")
    said = file(line(0, "class", "dog"), line(2, "right", "dog"), line(3, "out"), line(4, "unsure"))
    found, remarks = applied(table, said)
    assert found["label"].tolist() == ["dog", "cat", "dog", "dog", "cat"]
    assert found["status"].tolist() == ["kept"] * 3 + [Status.THROWN_OUT, "kept"]
    assert found["corrected"].tolist() == ["class", "", "right", "out", "unsure"]
    assert found["label_was"].tolist() == ["cat", "", "dog", "dog", "cat"]
    assert remarks == (
        "labels corrected by people: 1 changed, 1 confirmed, 1 thrown out, 1 not sure",
    )


def test_the_same_bytes_found_twice_are_corrected_twice(file):
    table = rows("cat", "dog").assign(image=f"{digest(7)}.jpg")
    found, _ = applied(table, file(line(7, "right", "cat")))
    assert found["label"].tolist() == ["cat", "cat"]  # and no conflict is left


def test_of_several_answers_the_latest_counts_and_that_is_told(file):
    early = file(line(0, "class", "dog", when="2026-01-01"), line(1, "out", when="2026-03-01"))
    late = file(
        line(0, "right", "cat", when="2026-02-01"), line(1, "right", "cat", when="2026-02-01"),
        name="late.csv",
    )  # fmt: skip
    for files in ((early, late), (late, early)):
        found, remarks = applied(rows("cat", "cat", "dog"), *files)
        assert found["corrected"].tolist() == ["right", "out", ""]
        assert "2 pictures were answered differently; the latest answer counts" in remarks


def test_pictures_that_are_gone_are_counted(file):
    _, remarks = applied(rows("cat", "dog"), file(line(0, "class", "dog"), line(99, "out")))
    assert "1 corrections are of pictures that are not, or no longer, in the source" in remarks


def test_a_file_of_another_experiment_is_an_error(file):
    with pytest.raises(ParameterError, match="none of its 2 pictures is in this source"):
        applied(rows("cat", "dog"), file(line(50, "out"), line(51, "out")))


def test_a_new_class_is_an_error_unless_it_is_asked_for(file):
    said = file(line(0, "class", "dogg"))
    with pytest.raises(ParameterError, match=r"no class 'dogg' \(did you mean 'dog'\?\)"):
        applied(rows("cat", "dog"), said)
    found, _ = applied(rows("cat", "dog"), said, new_classes=True)
    assert found["label"].tolist() == ["dogg", "dog"]


def test_a_class_that_was_not_chosen_is_none(file):
    table = rows("cat", "dog", "bird")
    table.loc[2, "status"] = Status.NOT_CHOSEN
    with pytest.raises(ParameterError, match="no class 'bird'"):
        applied(table, file(line(0, "class", "bird")))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "no column image"),
        ("picture,verdict\n", "no column image"),
        (f"{HEADER}cat.jpg,,,out,,\n", "'cat.jpg' as image in line 2"),
        (f"{HEADER}{line(0, 'delete')}\n", "'delete' as verdict in line 2"),
        (f"{HEADER}{line(0, 'class')}\n", "no class in `is` in line 2"),
        (f"{HEADER}../../etc/passwd,,,out,,\n", "'../../etc/passwd' as image"),
        (f"{HEADER}\x1b[31m,,,out,,\n", "'?[31m' as image"),
        ("\ufeff" + HEADER + "\x00,,,,,\n", ""),
    ],
)
def test_what_is_no_table_of_corrections_is_said_with_its_line(tmp_path, content, found):
    path = tmp_path / "x.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ParameterError, match=r"source\.corrections: expected a table") as said:
        corrections.read([path])
    assert found in str(said.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_what_cannot_be_read_is_an_error_of_its_name(tmp_path, content):
    path = tmp_path / "x.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ParameterError, match=r"x\.csv"):
        corrections.read([path])


def test_too_many_rows_are_refused(file, monkeypatch):
    monkeypatch.setattr(corrections, "MOST_ROWS", 3)
    with pytest.raises(ParameterError, match="more than 3 rows"):
        corrections.read([file(*(line(number, "out") for number in range(5)))])


def test_an_apostrophe_before_a_formula_is_taken_off(file):
    found, _ = applied(rows("cat", "=dog"), file(line(0, "class", "'=dog")))
    assert found["label"].tolist() == ["=dog", "=dog"]
    quoted, _ = applied(rows("cat", "'tis"), file(line(0, "class", "'tis")))
    assert quoted["label"].tolist() == ["'tis", "'tis"]


def test_nothing_is_written_by_looking(workspace, file):
    said = file(line(0, "out"))
    looked = corrections.reference(workspace, [said])
    assert not workspace.root.exists()
    corrections.keep(workspace, [said])
    assert workspace.path(looked).is_file()
    assert corrections.reference(workspace, []) is None
    again = corrections.reference(workspace, [file(line(0, "out", when="2027"), name="b.csv")])
    assert again.digest == looked.digest  # when it was said changes nothing


ANSWERS = st.tuples(
    st.integers(0, 9), st.sampled_from(corrections.VERDICTS), st.sampled_from(["cat", "dog", ""])
)


@examples(100)
@given(
    st.lists(ANSWERS, max_size=20),
    st.lists(st.sampled_from(["cat", "dog"]), min_size=10, max_size=10),
)
def test_no_other_label_changes_whatever_is_said(tmp_path_factory, said, labels):
    table = rows(*labels)
    path = Path(tmp_path_factory.mktemp("said")) / "x.csv"
    answers = [(n, v, now or "cat") for n, v, now in said]
    path.write_text(HEADER + "".join(f"{line(n, v, now)}{os.linesep}" for n, v, now in answers))
    found, _ = applied(table, path)
    last = {number: (verdict, now) for number, verdict, now in answers}
    for number, before in enumerate(labels):
        verdict, now = last.get(number, ("", ""))
        expected = now if verdict in ("right", "class") else before
        assert found["label"][number] == expected
        assert (found["status"][number] == Status.THROWN_OUT) == (verdict == "out")
        assert found["corrected"][number] == verdict
