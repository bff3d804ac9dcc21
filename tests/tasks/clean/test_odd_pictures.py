"""Pictures that are odd among their class, in what does not matter."""

import cv2
import numpy as np
import pandas as pd
import pytest

from storage.statuses import Status
from tasks.clean.odd_pictures import odd
from tasks.pictures.light import light_of


def photo(seed, height=120, width=160):
    """Colours and edges: sharp, of middle light."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(30, 225, (12, 16, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)


def rows(pictures, label="ant", status=Status.KEPT):
    return pd.DataFrame([
        {"image": f"{label}-{name}", "name": name, "label": label, "status": status,
         "width": one.shape[1], "height": one.shape[0], **light_of(one)._asdict()}
        for name, one in pictures.items()
    ])  # fmt: skip


USUAL = {f"usual-{seed}": photo(seed) for seed in range(20)}
ODD = {
    "dark": lambda one: (one * 0.15).astype(np.uint8),
    "bright": lambda one: (255 - (255 - one) * 0.1).astype(np.uint8),
    "blurred": lambda one: cv2.GaussianBlur(one, (0, 0), 8),
    "nearly empty": lambda one: np.full_like(one, 128) + (one // 64),
    "odd shape": lambda one: one[:30],
    "grey among colours": lambda one: np.repeat(one[..., :1], 3, axis=2),
}


def found(table):
    return {one.kind: list(one.table["name"]) for one in odd(table)}


@pytest.mark.parametrize("kind", ODD)
def test_each_kind_of_odd_picture_is_found_and_no_other(kind):
    assert found(rows(USUAL)) == {}
    table = rows(USUAL | {"other": ODD[kind](photo(99))})
    assert found(table) == {kind: ["other"]}


def test_what_a_whole_class_has_is_not_odd():
    wide = {name: one[:30] for name, one in USUAL.items()}
    grey = {name: np.repeat(one[..., :1], 3, axis=2) for name, one in USUAL.items()}
    soft = {name: cv2.GaussianBlur(one, (0, 0), 8) for name, one in USUAL.items()}
    table = pd.concat([rows(wide, "wide"), rows(grey, "grey"), rows(soft, "soft")])
    assert found(table) == {}


def test_of_a_few_pictures_only_what_holds_for_any_is_said():
    few = {
        "a": photo(1),
        "b": photo(2),
        "c": ODD["odd shape"](photo(3)),
        "d": ODD["dark"](photo(4)),
    }
    assert found(rows(few)) == {"dark": ["d"]}


def test_pictures_that_were_turned_down_are_not_judged_and_none_twice():
    dark = {"other": ODD["dark"](photo(99))}
    assert found(pd.concat([rows(USUAL), rows(dark, status=Status.DUPLICATE)])) == {}
    assert found(pd.concat([rows(USUAL), rows(dark), rows(dark)])) == {"dark": ["other"]}
    assert odd(rows(USUAL).iloc[:0]) == []


def test_the_oddest_comes_first():
    shades = {f"x{share}": (photo(99) * (share / 100)).astype(np.uint8) for share in (15, 5, 10)}
    assert found(rows(USUAL | shades))["dark"] == ["x5", "x10", "x15"]
