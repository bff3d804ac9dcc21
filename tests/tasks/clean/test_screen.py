import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from storage.errors import NoUsablePictures
from storage.images import ImageStore
from storage.statuses import Status
from tasks.clean import facts, screen
from tasks.clean.likeness import likeness
from tasks.clean.parameters import LOOKING
from tasks.pictures.parameters import MAX_PIXELS
from tasks.running.progress import silent
from tests.tasks.clean.encoded import encoded, flag, png_of_size, scenes


@pytest.fixture
def screened(workspace):
    """Screen a collection given as (label, bytes); None are files that acquire set aside."""

    def screen_files(*files, min_side=16, copies="resaved"):
        images = ImageStore(workspace.images)
        rows = [_row(images, number, label, data) for number, (label, data) in enumerate(files)]
        store = facts.store_of(workspace, MAX_PIXELS)
        names = list(dict.fromkeys(row["image"] for row in rows if row["image"]))
        missing = [name for name in names if name not in store.index()]
        facts.compute(images, store, missing, max_pixels=MAX_PIXELS, advance=silent)
        return _screened(workspace, rows, min_side=min_side, copies=copies)

    return screen_files


def _screened(workspace, rows, *, min_side=16, copies="resaved", given=False):
    rows, about = pd.DataFrame(rows), facts.load(facts.store_of(workspace, MAX_PIXELS))
    images = screen.usable(rows, about, min_side)
    alike = likeness(workspace, about, images, copies, LOOKING)
    return screen.screen(rows, about, min_side=min_side, alike=alike, given=given)


def _row(images, number, label, data):
    aside = ("encrypted", "needs a password") if data is None else ("kept", "")
    return {
        "name": f"{label}/{number}",
        "label": label,
        "source": "here",
        "image": "" if data is None else images.add(data),
        "bytes": len(data or b""),
        "status": aside[0],
        "reason": aside[1],
    }


def statuses(table):
    return table["status"].tolist()


ANT, BEE, CAT, DOG, ELK = (encoded(scene) for scene in scenes(5))
ANT_AGAIN = encoded(scenes(1)[0], "JPEG", quality=40)
ANT_SMALLER = encoded(scenes(1)[0].resize((110, 82)), "PNG")
GREY = scenes(1)[0].convert("L")
WARM = encoded(Image.merge("RGB", (GREY.point(lambda v: min(255, v + 60)), GREY, GREY)))
COLD = encoded(Image.merge("RGB", (GREY, GREY, GREY.point(lambda v: min(255, v + 120)))))


def test_different_pictures_are_kept_each_in_a_group_of_its_own(screened):
    table = screened(("a", ANT), ("b", BEE), ("a", CAT))
    assert statuses(table) == ["kept"] * 3
    assert table["group"].tolist() == table["image"].tolist()
    assert table[["width", "height", "format"]].to_numpy().tolist() == [[160, 120, "JPEG"]] * 3


def test_exact_duplicates_collapse_to_the_first(screened):
    table = screened(("a", ANT), ("b", BEE), ("a", ANT), ("a", ANT))
    assert statuses(table) == ["kept", "kept", "duplicate", "duplicate"]
    assert table["reason"].tolist()[2:] == ["the same bytes as a/0"] * 2


def test_one_picture_under_two_labels_is_set_aside_everywhere(screened):
    table = screened(("cat", ANT), ("dog", BEE), ("dog", ANT), ("cat", ANT))
    assert statuses(table) == ["label conflict", "kept", "label conflict", "label conflict"]
    assert table["reason"][0] == "found as cat and dog"


def test_a_picture_like_one_under_two_labels_is_set_aside_with_it(screened):
    table = screened(("cat", ANT), ("dog", ANT), ("cat", ANT_AGAIN), ("cat", BEE))
    assert statuses(table) == ["label conflict"] * 3 + ["kept"]
    assert table["reason"][2] == "nearly the same as cat/0, which has two labels"
    assert table["group"].tolist() == ["", "", "", table["image"][3]]


def test_a_recoloured_picture_of_one_under_two_labels_stays(screened):
    table = screened(("warm", WARM), ("cold", WARM), ("cold", COLD), ("dog", DOG))
    assert statuses(table) == ["label conflict", "label conflict", "kept", "kept"]
    assert table["group"].tolist()[2:] == table["image"].tolist()[2:]


@pytest.mark.parametrize("again", [ANT_AGAIN, ANT_SMALLER])
def test_a_picture_saved_again_under_another_label_is_set_aside(screened, again):
    table = screened(("cat", ANT), ("dog", BEE), ("dog", again))
    assert statuses(table) == ["label conflict", "kept", "label conflict"]
    assert table["reason"][2] == "nearly the same as cat and dog"
    assert table["group"].tolist() == ["", table["image"][1], ""]


def test_near_duplicates_of_one_label_are_kept_in_one_group(screened):
    table = screened(("a", ANT), ("b", BEE), ("a", ANT_AGAIN), ("a", ANT_SMALLER))
    assert statuses(table) == ["kept"] * 4
    group = table["group"]
    assert group[0] == group[2] == group[3] != group[1]
    assert group[0] in set(table["image"])


def test_a_group_has_the_same_name_in_whatever_order_pictures_come(screened):
    one = screened(("a", ANT), ("b", BEE), ("a", ANT_AGAIN)).set_index("image")["group"]
    other = screened(("a", ANT_AGAIN), ("a", ANT), ("b", BEE)).set_index("image")["group"]
    assert one.to_dict() == other.to_dict()


def test_near_duplicates_may_be_let_be(screened):
    table = screened(("a", ANT), ("b", ANT_AGAIN), copies="ignore")
    assert statuses(table) == ["kept", "kept"]
    assert table["group"].tolist() == table["image"].tolist()


def test_where_copies_are_ignored_the_same_bytes_count_twice(screened):
    table = screened(("a", ANT), ("a", ANT), ("b", BEE), ("a", ANT), copies="ignore")
    assert statuses(table) == ["kept"] * 4
    assert table["group"].nunique() == 4


def test_small_pictures_say_how_small(screened):
    pixel = encoded(flag().crop((0, 0, 1, 1)), "PNG")
    table = screened(
        ("a", pixel), ("a", ANT), ("b", BEE), ("b", encoded(flag(), "PNG")), min_side=21
    )
    assert statuses(table) == ["too small", "kept", "kept", "too small"]
    assert table["reason"][0] == "1 x 1, less than 21 on a side"
    assert table["reason"][3] == "40 x 20, less than 21 on a side"


def test_a_picture_exactly_as_small_as_allowed_is_kept(screened):
    assert statuses(screened(("a", encoded(flag())), min_side=20)) == ["kept"]


def test_what_acquire_set_aside_stays_as_it_was(screened):
    table = screened(("a", ANT), ("a", None), ("b", BEE))
    assert statuses(table) == ["kept", "encrypted", "kept"]
    assert table["reason"][1] == "needs a password"
    assert table["group"][1] == ""


def test_pictures_that_cannot_be_used_keep_their_row_with_its_reason(screened):
    table = screened(
        ("a", b""),
        ("a", b"<html>"),
        ("a", ANT[: len(ANT) // 2]),
        ("a", png_of_size(30_000, 30_000)),
        ("b", BEE),
    )
    assert statuses(table) == ["empty", "undecodable", "truncated", "too many pixels", "kept"]
    assert table["reason"].tolist() == [
        "0 bytes",
        "HTML or XML, not a picture",
        "the JPEG breaks off",
        "30000 x 30000",
        "",
    ]
    assert table["name"].tolist() == ["a/0", "a/1", "a/2", "a/3", "b/4"]


def test_unusable_bytes_under_two_labels_are_unusable_first(screened):
    assert statuses(screened(("a", b""), ("b", b""))) == ["empty", "empty"]


FILES = [
    ANT,
    ANT_AGAIN,
    ANT_SMALLER,
    BEE,
    CAT,
    ANT[: len(ANT) // 2],
    b"",
    b"<html>",
    encoded(flag()),
    None,
]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(FILES)), min_size=1, max_size=25))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.large_base_example],
)
def test_every_row_is_accounted_for(screened, files):
    table = screened(*files, min_side=24)
    counts = screen.counts(table)
    assert len(table) == len(files)
    assert counts["images"] + counts["rejected"] + counts["ignored"] == len(files)
    assert table["name"].tolist() == [f"{label}/{n}" for n, (label, _) in enumerate(files)]
    kept = table["status"] == Status.KEPT
    assert table["image"][kept].is_unique
    assert (table["reason"][kept] == "").all()
    assert (table["reason"][~kept] != "").all()
    assert (table["group"][~kept] == "").all()
    assert table["group"][kept].isin(table["image"][kept]).all()
    assert (table[kept].groupby("group")["label"].nunique() == 1).all()
    assert counts["groups"] == table["group"][kept].nunique()


def test_classes_are_those_with_usable_pictures_in_order(screened):
    table = screened(("dog", ANT), ("cat", BEE), ("<b>", CAT))
    assert screen.require_classes(table) == ("<b>", "cat", "dog")


def test_a_class_whose_pictures_were_all_turned_down_is_named(screened):
    table = screened(("dog", ANT), ("cat", BEE), ("elk", b""), ("elk", b"not a picture"))
    with pytest.raises(NoUsablePictures, match=r"class 'elk' has no usable picture: 1 empty"):
        screen.require_classes(table, all_of_them=True)
    assert screen.require_classes(table) == ("cat", "dog")
    assert screen.lost_classes(table) == ["elk"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([("cat", ANT), ("cat", BEE), ("dog", b"")], "found 1 ('cat')"),
        ([("cat", ANT), ("dog", ANT)], "found 0 (none)"),
    ],
)
def test_fewer_than_two_classes_say_what_was_found_and_turned_down(screened, files, expected):
    with pytest.raises(NoUsablePictures) as failure:
        screen.require_classes(screened(*files))
    message = str(failure.value)
    assert expected in message
    assert "at least two classes" in message
    for status in {"label conflict"} if "none" in expected else {"kept", "empty"}:
        assert status in message


def test_no_pictures_at_all_are_no_usable_pictures(screened):
    with pytest.raises(NoUsablePictures):
        screen.require_classes(screened(("a", None), ("b", None)))


def test_the_same_shape_in_another_colour_is_another_class_but_shares_a_group(screened):
    table = screened(("warm", WARM), ("cold", COLD), ("dog", DOG))
    assert statuses(table) == ["kept"] * 3
    assert table["group"].nunique() == 2


def test_a_picture_saved_again_under_another_label_is_a_conflict_in_colour_too(screened):
    table = screened(("a", ANT), ("b", ANT_AGAIN), ("c", BEE), ("d", CAT))
    assert statuses(table) == ["label conflict"] * 2 + ["kept"] * 2


def test_where_splits_are_given_a_picture_may_stand_in_several(workspace):
    images = ImageStore(workspace.images)
    rows = [
        _row(images, number, label, data) | {"split": split}
        for number, (label, data, split) in enumerate(
            [("a", ANT, "train"), ("a", ANT, "test"), ("a", ANT, "test"), ("b", BEE, "train")]
        )
    ]
    store = facts.store_of(workspace, MAX_PIXELS)
    names = list(dict.fromkeys(row["image"] for row in rows))
    facts.compute(images, store, names, max_pixels=MAX_PIXELS, advance=silent)
    for are_given, expected in ((True, ["kept", "kept", "duplicate", "kept"]),
                            (False, ["kept", "duplicate", "duplicate", "kept"])):  # fmt: skip
        table = _screened(workspace, rows, given=are_given)
        assert statuses(table) == expected


def test_a_tables_time_counts_before_exif_and_that_before_the_files(workspace):
    images = ImageStore(workspace.images)
    tags = Image.Exif()
    tags[0x0132] = "2020:01:02 03:04:05"
    dated = encoded(scenes(1)[0], "JPEG", exif=tags.tobytes())
    times = [("2019-01-01", "2021-01-01"), ("", "2021-01-01"), ("", "2021-01-01")]
    rows = [
        _row(images, number, "a", data) | {"time": time, "file_time": file}
        for number, (data, (time, file)) in enumerate(
            zip((BEE, dated, CAT), times, strict=True)
        )
    ]  # fmt: skip
    store = facts.store_of(workspace, MAX_PIXELS)
    names = [row["image"] for row in rows]
    facts.compute(images, store, names, max_pixels=MAX_PIXELS, advance=silent)
    table = _screened(workspace, rows)
    assert table["time"].tolist() == ["2019-01-01", "2020-01-02T03:04:05", "2021-01-01"]
