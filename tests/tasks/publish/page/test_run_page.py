"""The page of a run, read as text; tests/browser looks at it in a browser."""

import dataclasses
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from storage.folders import METRICS, PLOT, REPORT
from storage.names import TURNING
from storage.statuses import Status
from tasks.evaluate.close_up import selection
from tasks.evaluate.close_up.look import Looked
from tasks.evaluate.close_up.neighbours import Neighbour
from tasks.evaluate.more_data import Expected, MoreData, OfClass, Point
from tasks.evaluate.shortcuts import Example, Shortcut
from tasks.publish import galleries, report_folder
from tasks.publish.inputs import Earlier
from tasks.publish.page import charts, confusion, headline, run_page
from tasks.publish.parameters import PublishedFigure
from tests.tasks.publish import sample


class Seen(HTMLParser):
    """What a browser would make of a page: elements, their attributes, the script's data."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.text, self._data = [], "", None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._data = dict(attributes).get("id") == "data"

    def handle_data(self, data):
        if self._data:
            self.data = json.loads(data)
            self._data = False
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def made(workspace):
    return sample.inputs(workspace)


@pytest.fixture
def seen(made):
    return Seen(run_page.page(made))


def test_confusion_and_rows_are_scikit_learns(made, seen):
    table = made.shown_predictions()
    expected = metrics.confusion_matrix(table["label"], table["predicted"], labels=made.classes)
    found = np.zeros_like(expected)
    for truth, predicted, pictures in seen.data["cells"]:
        found[truth, predicted] = pictures
    assert found.tolist() == expected.tolist()
    cells = {attributes["data-cell"]: attributes for attributes in seen.all("button")
             if "data-cell" in attributes}  # fmt: skip
    for truth, row in enumerate(expected):
        for said, count in enumerate(row):
            names = {row[0] for row in seen.data["rows"] if row[1:3] == [truth, said]}
            there = (table["label"] == made.classes[truth]) & (
                table["predicted"] == made.classes[said]
            )
            assert names == set(table.loc[there, "name"])
            assert len(names) == count
            assert (f"{truth},{said}" in cells) == (count > 0)


def test_class_figures_are_scikit_learns(made):
    table = made.shown_predictions()
    report = metrics.classification_report(table["label"], table["predicted"], output_dict=True)
    rows = run_page.results(made)["per_class"]
    assert [row["name"] for row in rows] == made.classes
    for row in rows:
        one = report[row["name"]]
        assert row["precision"] == pytest.approx(one["precision"])
        assert row["recall"] == pytest.approx(one["recall"])
        assert row["f1"] == pytest.approx(one["f1-score"])
        assert row["support"] == one["support"]


def test_headline_and_log_loss_are_scikit_learns(made, seen):
    table = made.shown_predictions()
    columns = [f"probability_{name}" for name in made.classes]
    loss = metrics.log_loss(table["label"], table[columns], labels=made.classes)
    accuracy = metrics.accuracy_score(table["label"], table["predicted"])
    assert f"Log loss {loss:.4f}" in seen.text
    assert f"{100 * accuracy:.1f}\u202f%" in seen.text


def test_every_picture_stands_in_the_page_once(made, seen):
    sources = [one["src"] for one in seen.all("img") if "src" in one]
    sources += seen.data["pictures"].values()
    assert len(sources) == len(set(sources))
    numbers = {one["data-picture"] for one in seen.all("img")} | set(seen.data["pictures"])
    assert {str(row[4]) for row in seen.data["rows"]} <= numbers
    assert len(sources) == len(numbers)


def test_every_picture_and_chart_says_what_it_is(seen):
    assert len(seen.all("img")) > selection.DRAWN_AT_RANDOM
    assert all(one["alt"] for one in seen.all("img"))
    drawings = seen.all("svg")
    assert len(drawings) >= 6
    assert all(one["role"] == "img" and one["aria-label"] for one in drawings)


def test_nothing_is_loaded_from_anywhere(made):
    text = run_page.page(made)
    addresses = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert {one.partition(":")[0] for one in addresses} > {"data"}
    assert all(one.startswith(("data:", "#")) for one in addresses)
    assert "@import" not in text
    assert "url(#" in text
    assert not re.search(r"url\((?!#)", text)
    identifiers = re.findall(r'\sid="([^"]*)"', text)
    assert "results" in identifiers
    assert len(identifiers) == len(set(identifiers))


def test_strange_names_are_text_everywhere(workspace):
    made = sample.inputs(workspace, sample.HOSTILE, 12)
    text = run_page.page(made)
    seen = Seen(text)
    assert all("onerror" not in attributes for _, attributes in seen.elements)
    assert len(seen.all("script")) == 2
    assert seen.data["classes"] == list(sample.HOSTILE)
    for name in sample.HOSTILE:
        assert name in seen.text
        assert name in [one["aria-label"].rpartition(" recognised")[0] for one in seen.all("button")
                        if " recognised" in one.get("aria-label", "")]  # fmt: skip
    assert "why <b>0</b>" in seen.text
    assert 'torn "0" é.jpg' in seen.text


def test_data_page_counts_every_file(made, seen):
    counts = dict(run_page.statuses(made.rows))
    assert counts == {"kept": 120, "undecodable": 1, "too small": 1, "duplicate": 1,
                      "label conflict": 1}  # fmt: skip
    assert sum(counts.values()) == len(made.rows)
    assert headline.crossing(made.split) == 0
    torn = made.split.copy()
    torn.loc[len(torn) - 1, "group"] = torn.loc[0, "group"]
    assert headline.crossing(torn) == 1
    first = headline.verdicts(replace(made, split=torn))[0]
    assert (first.title, first.tone) == ("Not tested on new pictures alone", "bad")
    assert first.text.startswith("1 group of pictures that belong together")
    assert headline.verdicts(made)[0].title != first.title
    first = galleries.rejected(made.rows)[0]
    assert (first[0], first[1].total) == (Status.LABEL_CONFLICT, 1)
    assert "1 group has several pictures" in seen.text


def test_errors_are_sorted_by_confidence(made):
    table = made.shown_predictions()
    found = galleries.errors(table)
    wrong = table[~table["correct"]].sort_values("probability", ascending=False)
    assert [tile.name for tile in found.tiles] == list(wrong["name"])[: galleries.SHOWN]
    assert found.total == len(wrong)


def test_uncertain_pictures_have_the_smallest_margin(made):
    from tasks.evaluate.curves import Predicted

    table = made.shown_predictions()
    predicted = Predicted.of(table, made.classes)
    margins = {
        name: max(row) - sorted(row)[-2]
        for name, row in zip(table["name"], predicted.probabilities, strict=True)
    }
    tiles = galleries.uncertain(table, predicted).tiles
    assert [tile.name for tile in tiles] == sorted(margins, key=lambda n: margins[n])[: len(tiles)]


@pytest.mark.parametrize(
    ("accuracy", "words"),
    [(0.1, "Better than published"), (1.0, "Below what is published")],
)
def test_verdict_against_the_published_figure(workspace, accuracy, words):
    figure = PublishedFigure(accuracy=accuracy, source='a "book" <b>')
    seen = Seen(run_page.page(sample.inputs(workspace, figure=figure)))
    assert words in seen.text
    assert 'a "book" <b>' in seen.text


def test_of_ones_own_pictures_no_published_figure_is_spoken_of(workspace):
    text = Seen(run_page.page(sample.inputs(workspace))).text
    assert "Published figure" not in text
    assert "No figure" not in text


def test_files_that_were_passed_over_are_named(workspace):
    made = sample.inputs(workspace)
    loose = made.rows.iloc[[0]].assign(
        name="loose <b>.jpg", status="unlabelled", reason="no label", image=""
    )
    rows = pd.concat([made.rows, loose], ignore_index=True)
    seen = Seen(run_page.page(sample.inputs(workspace, rows=rows)))
    assert "passed over, unlabelled: 1" in seen.text
    assert "loose <b>.jpg: no label" in seen.text


def test_uncertain_pictures_are_a_quarter_at_most(made):
    from tasks.evaluate.curves import Predicted

    table = made.shown_predictions().head(42)
    shown = galleries.uncertain(table, Predicted.of(table, made.classes))
    assert len(shown.tiles) == 10


def test_verdict_against_the_run_before(workspace, made):
    before = made.predictions.assign(correct=False)
    earlier = Earlier("2026-01-01-run", "2026-01-01T00:00:00+00:00", before)
    seen = Seen(run_page.page(sample.inputs(workspace, previous=earlier)))
    right = int(made.shown_predictions()["correct"].sum())
    assert "Significantly better." in seen.text
    assert f"this model alone is right on {right} and the run of 2026-01-01 alone on 0" in seen.text
    assert "no earlier model" not in seen.text


def test_what_is_not_known_is_left_out(workspace):
    bare = sample.inputs(workspace, steps=(), seconds=None, parameters={}, command="")
    text = Seen(run_page.page(bare)).text
    assert "Steps before this page" not in text
    assert "From the cache" not in text
    assert "No label is doubtful." in text


def test_two_classes_as_large_show_the_curve_of_the_second(workspace):
    made = sample.inputs(workspace, ("cat", "dog"))
    context = run_page.results(made)
    assert [row[0] for row in context["charts"]["roc"].rows] == ["dog"]
    assert all(row["area"] is not None for row in context["per_class"])


def test_many_classes_fit(workspace):
    classes = [f"class {number:03}" for number in range(90)]
    text = run_page.page(sample.inputs(workspace, classes, 8))
    seen = Seen(text)
    assert "Confusion of 90 classes as a map" in text
    assert "Top-5 accuracy" in seen.text
    assert len(text.encode()) < run_page.PAGE_BYTES
    assert max(len(chart.legend) for chart in run_page.results(
        sample.inputs(workspace, classes, 8))["charts"].values()) <= charts.MOST_SERIES  # fmt: skip


def test_a_smaller_limit_leaves_pictures_out_and_says_so(monkeypatch, made):
    monkeypatch.setattr(run_page, "PAGE_BYTES", 260_000)
    monkeypatch.setattr(confusion, "ROWS_BYTES", 1500)
    text = run_page.page(made)
    seen = Seen(text)
    assert len(text.encode()) <= 260_000
    left = len(made.shown_predictions()) - len(seen.data["rows"])
    assert left > 0
    assert f"{left} correct ones not named" in seen.text


def test_of_thousands_of_pictures_as_many_are_shown_as_fit_and_all_are_counted(
    workspace, monkeypatch
):
    monkeypatch.setattr(run_page, "PAGE_BYTES", 1_000_000)
    made = sample.inputs(workspace, ("cat", "dog"), 1_060, percentages=(2, 3, 95))
    assert len(made.shown_predictions()) >= 2_000
    text = run_page.page(made)
    seen = Seen(text)
    assert 800_000 < len(text.encode()) <= 1_000_000
    assert "pictures are not shown" in text
    assert sum(cell[2] for cell in seen.data["cells"]) == len(made.shown_predictions())
    assert {row[0] for row in seen.data["rows"]} == set(made.shown_predictions()["name"])


def test_the_folder_is_whole_and_the_page_the_same_each_time(workspace, made):
    from storage import folders

    pages = []
    for name in ("a", "b"):
        target = workspace.reports / "sample" / name
        with folders.new_folder(target) as new:
            report_folder.write(new, made)
        assert folders.is_sealed(target)
        assert json.loads((target / METRICS).read_text())["test"] == made.metrics["test"]
        assert (target / PLOT).stat().st_size > 0
        pages.append((target / REPORT).read_bytes())
    assert pages[0] == pages[1]


def test_near_duplicates_that_were_not_looked_for_are_not_denied(workspace):
    text = Seen(run_page.page(sample.inputs(workspace, copies="ignore"))).text
    assert "No two usable pictures are copies" not in text
    assert "Copies were not looked for in this run" in text


def test_without_validation_no_curve_of_it_is_named(workspace):
    made = sample.inputs(workspace)
    bare = [{k: v for k, v in row.items() if not k.startswith("val_")} for row in
            made.training["history"][0]]  # fmt: skip
    assert charts.learning([bare], 0).legend == [(0, "train")]
    assert charts.learning(made.training["history"], 0).legend[1] == (1, "validation")


def test_what_more_pictures_would_give_is_told(workspace):
    made = sample.inputs(workspace)
    points = [Point(0.2, 20, 0.5, 0.4, 0.6), Point(1.0, 100, 0.8, 0.7, 0.9)]
    for low, told in ((0.01, False), (0.0, True)):
        more = MoreData(
            points, Expected(0.85, 0.75, 0.92, 0.05, low, 0.08), [OfClass("hen", 33, 0.4, 0.6)],
            "A linear head.",
        )  # fmt: skip
        with_more = dataclasses.replace(
            made, diagnosis=dataclasses.replace(made.diagnosis, more_data=more)
        )
        seen = Seen(run_page.page(with_more))
        assert f"5.0 points more ({100 * low:.1f} to 8.0), where 100 gave 80.0" in seen.text
        assert ("That may be no gain at all." in seen.text) == told
        assert "200 (expected)" in seen.text
    assert "Would more pictures help?" not in Seen(run_page.page(made)).text


def test_names_that_turn_reading_around_are_shown_by_their_codes(workspace):
    joined = "\u0645\u06cc\u200c\u062e"
    made = sample.inputs(workspace, ("cat\u202egpj.exe", "dog\x1b[2J", joined), 12)
    text = run_page.page(made)
    seen = Seen(text)
    # Our script reads names as they are; people are shown what is in them.
    assert seen.data["classes"] == list(made.classes)
    assert "cat\\u202egpj.exe" in seen.text
    assert "dog\\u001b[2J" in seen.text
    assert joined in seen.text  # what joins letters belongs to the name
    shown = re.sub(r'<script.*?</script>|data-(was|name)="[^"]*"', "", text, flags=re.DOTALL)
    assert not TURNING.search(shown)


def test_odd_pictures_and_those_told_by_facts_are_shown(workspace):
    made = sample.inputs(workspace, ("cat", "dog"), 24)
    rows = made.rows.copy()
    rows.loc[3, "lightest"] = 12.0
    one = made.predictions.iloc[0]
    told = Example(one["image"], one["name"], one["label"], "camera <b>Maker</b>")
    flagged = Shortcut("camera", 0.9, 0.5, 24, flagged=True, examples=(told,))
    known = replace(made.diagnosis, shortcuts=(flagged,))
    text = run_page.page(replace(made, rows=rows, diagnosis=known))
    seen = Seen(text)
    assert "dark: 1" in seen.text
    assert "95 % of it below 12 of 255" in seen.text
    assert f"{rows.loc[3, 'name']}: dark" in [one.get("alt") for one in seen.all("img")]
    assert "Pictures whose class camera told (1)" in seen.text
    assert "camera <b>Maker</b>" in seen.text
    assert "A shortcut?" in seen.text
    assert "Odd among their class" not in Seen(run_page.page(made)).text


def test_errors_stand_beside_the_training_pictures_most_like_them(workspace):
    made = sample.inputs(workspace, ("cat", "dog"), 24)
    wrong = galleries.errors(made.shown_predictions()).tiles[0]
    train = made.split[made.split["split"] == "train"].iloc[0]
    near = Neighbour(train["image"], "near <b>one</b>.jpg", train["label"], 0.91)
    look = Looked(wrong.image, nearest={wrong.image: [near]})
    seen = Seen(run_page.page(replace(made, look=look)))
    assert "the training pictures most like each error (1)" in seen.text
    assert "likeness 0.91" in seen.text
    assert "near <b>one</b>.jpg" in seen.text
    assert "most like each error" not in Seen(run_page.page(made)).text
