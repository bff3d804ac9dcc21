"""Marking pictures in a report, in a real browser: by mouse, by keys alone, and the file."""

import csv

import pytest

from tasks.clean import corrections
from tasks.publish.page import run_page
from tests.tasks.publish import sample

CLASSES = ("cat", "=HYPERLINK(1)", *sample.HOSTILE)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    from storage.workspace import Workspace
    from tasks.evaluate import label_errors

    root = tmp_path_factory.mktemp("marks")
    rows = sample.inputs(Workspace(root), CLASSES, 20).split.head(40)
    candidates = rows[["image", "name", "split", "label"]].assign(
        suggested="cat", given_probability=0.1, suggested_probability=0.9
    )
    doubts = label_errors.Found(candidates, "Forty are doubtful.")
    made = sample.inputs(Workspace(root), CLASSES, 20, doubts=doubts)
    path = root / "report.html"
    path.write_text(run_page.page(made), encoding="utf-8")
    return path, candidates.reset_index(drop=True)


@pytest.fixture
def opened(saved, open_page):
    return open_page(saved[0])


def tiles(opened):
    return opened.page.locator("#label-errors ~ ul").first.locator("[data-mark]")


def downloaded(opened, tmp_path):
    with opened.page.expect_download() as waiting:
        opened.page.click("#marks-save")
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def answers(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["image"]: (row["verdict"], row["is"]) for row in csv.DictReader(stream)}


def test_thirty_pictures_with_keys_alone(saved, opened, tmp_path):
    page, (_, shown) = opened.page, saved
    tiles(opened).first.locator("button.mark").focus()
    page.keyboard.press("Enter")
    expected = {}
    for number in range(30):
        label = shown["label"][number]
        assert f"labelled {label}; {number + 1} of 40" in page.inner_text("#marking-was")
        digest = shown["image"][number][:64]
        if number % 4 == 0:
            page.keyboard.press("r")
            expected[digest] = ("right", label)
        elif number % 4 == 1:
            page.keyboard.press("t")
            expected[digest] = ("out", "")
        elif number % 4 == 2:
            page.keyboard.press("n")
            expected[digest] = ("unsure", "")
        else:
            other = "cat" if label != "cat" else CLASSES[1]
            page.keyboard.press("c")
            page.keyboard.insert_text(other)
            page.keyboard.press("Enter")
            expected[digest] = ("class", other)
    page.keyboard.press("Escape")
    assert page.inner_text("#marks-count") == "30 marked"
    path = downloaded(opened, tmp_path)
    assert path.name == "corrections.csv"
    read = corrections.read([path]).set_index("image")
    assert set(read.index) == set(expected)
    for digest, (verdict, label) in expected.items():
        assert (read["verdict"][digest], read["label"][digest]) == (verdict, label)
    assert opened.complaints == []


def test_with_the_mouse_and_undone(saved, opened, tmp_path):
    page = opened.page
    for number in range(3):
        tiles(opened).nth(number).locator("button.mark").click()
        page.click('[data-verdict="out"]')
        page.click("#marking-close")
    assert page.inner_text("#marks-count") == "3 marked"
    page.click("#marks-undo")
    assert page.inner_text("#marks-count") == "2 marked"
    tiles(opened).nth(0).locator("button.mark").click()
    page.fill("#marking-class", "cat")
    page.click("#marking-set")
    page.click("#marking-before")
    page.click('[data-verdict=""]')
    page.click("#marking-close")
    shown = saved[1]
    assert set(answers(downloaded(opened, tmp_path))) == {shown["image"][1][:64]}


def test_marks_stay_in_this_browser_and_show_wherever_the_picture_is(opened):
    page = opened.page
    tiles(opened).first.locator("button.mark").click()
    page.keyboard.press("t")
    page.keyboard.press("Escape")
    page.reload()
    assert page.inner_text("#marks-count") == "1 marked"
    image = tiles(opened).first.get_attribute("data-mark")
    everywhere = page.locator(f'[data-mark="{image}"] button.mark')
    assert {one.text_content() for one in everywhere.all()} == {"throw out"}


def test_no_cell_of_the_file_is_a_formula(saved, opened, tmp_path):
    page = opened.page
    tiles(opened).first.locator("button.mark").click()
    page.fill("#marking-class", "=1+1")
    page.keyboard.press("Enter")
    assert "source.new_classes=true" in page.inner_text("#marking-note")
    page.keyboard.press("Escape")
    path = downloaded(opened, tmp_path)
    with path.open(encoding="utf-8", newline="") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert "'=1+1" in cells
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@")]


def test_without_marks_nothing_is_in_the_way(opened):
    assert not opened.page.is_visible("#marks")
    assert not opened.page.is_visible("#marking")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_dialog_is_for_everybody(saved, open_page, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    opened = open_page(saved[0], scheme=scheme, width=width)
    tiles(opened).first.locator("button.mark").click()
    found = axe.Axe().run(opened.page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not opened.page.evaluate(wide)
    box = opened.page.locator("#marking").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
