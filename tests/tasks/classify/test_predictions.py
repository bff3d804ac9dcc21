"""Pictures to predictions, in order, with bounded memory."""

import io
import threading
import time
from pathlib import PurePosixPath

import pytest
from PIL import Image

from tasks.classify import predictions as module
from tasks.classify.pictures import Picture, Pictures
from tasks.classify.predictions import Prediction, predicted
from tests.tasks.classify.conftest import CLASSES, coloured


def given(name, data, folder=""):
    return Picture(name, PurePosixPath(name), folder, data)


def test_predictions_come_in_the_order_of_the_pictures(classifier):
    kinds = [CLASSES[number * number % 3] for number in range(100)]
    # The first is by far the slowest to decode.
    sizes = [(2000, 2000)] + [(20, 20)] * 99
    shown = [
        given(f"{n}.png", coloured(*one)) for n, one in enumerate(zip(kinds, sizes, strict=True))
    ]
    advanced = []
    found = predicted(classifier, shown, advance=advanced.append)
    assert [one.label for one in found] == kinds
    assert [one.name for one in found] == [f"{n}.png" for n in range(100)]
    assert sum(advanced) == 100


def test_what_cannot_be_read_is_a_row_with_its_reason(classifier, tmp_path):
    good, cut, page = (tmp_path / name for name in ("good.png", "cut.png", "page.png"))
    good.write_bytes(coloured("bee"))
    cut.write_bytes(coloured("bee")[:-20])
    page.write_bytes(b"<html>")
    found = predicted(classifier, Pictures([cut, good, page, tmp_path / "none.png"]))
    assert [one.label for one in found] == ["", "bee", "", ""]
    assert found[0].text.startswith("truncated: ")
    assert "HTML" in found[2].text
    assert found[3].text == "No such file or directory"
    assert found[3].row() == {
        "image": str(tmp_path / "none.png"), "label": "", "probability": None,
        "reason": "No such file or directory", "correct": None, "trained_on": "",
    }  # fmt: skip


def test_only_so_many_pictures_are_taken_ahead(classifier):
    taken, taken_at_first_batch = [], []

    def endless_list():
        for number in range(400):
            taken.append(number)
            yield given(f"{number}.png", coloured("ant"))

    def advance(count):
        taken_at_first_batch.append(len(taken))

    assert len(predicted(classifier, endless_list(), advance=advance)) == 400
    assert taken_at_first_batch[0] <= module.AHEAD + module.PICTURES_AT_A_TIME + 1


def test_bytes_that_wait_for_a_thread_are_bounded(monkeypatch):
    monkeypatch.setattr(module, "BYTES_AHEAD", 0)
    prepared, unread = [], []

    def source():
        for number in range(20):
            unread.append(number - len(prepared))
            yield given(f"{number}.png", b"bytes")

    def prepare(picture):
        time.sleep(0.005)  # the source would run ahead if nothing held it back
        prepared.append(picture.name)
        return module._Prepared(picture.name, picture.place, picture.folder)

    found = [one.name for one in module._ahead(source(), prepare)]
    assert found == [f"{number}.png" for number in range(20)]
    # Without any allowance each picture is waited for before another one is read.
    assert unread == [0] * 20


def test_pictures_are_decoded_by_threads_that_end(classifier):
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="the source broke"):
        predicted(classifier, broken())
    assert threading.active_count() == before


def broken():
    yield given("1.png", coloured("ant"))
    raise RuntimeError("the source broke")


def test_names_that_claim_a_class_are_judged(classifier):
    shown = [
        given("ant.1.png", coloured("ant")),
        given("ant.2.png", coloured("bee")),
        given("3.png", coloured("müller"), folder="Müller"),
        given("antics.png", coloured("ant")),
    ]
    found = predicted(classifier, shown)
    assert [one.correct for one in found] == [True, False, True, None]
    assert found[0].line.startswith("ant.1.png  ant: 9")
    assert found[0].line.endswith("% (correct)")
    assert found[1].line.endswith("% (incorrect)")
    assert found[3].line.endswith("%")


def test_the_line_has_one_decimal_and_no_control_characters():
    one = Prediction("a\x1b.png", PurePosixPath("a"), "", "ant", 0.97312, (0.97312,), "ant")
    assert one.line == "a?.png  ant: 97.3% (correct)"


def test_a_picture_with_too_many_pixels_is_turned_down_before_it_is_decoded(classifier):
    buffer = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(buffer, "PNG")
    (found,) = predicted(classifier, [given("huge.png", buffer.getvalue())])
    assert found.reason == "too many pixels: 12000 x 12000"
