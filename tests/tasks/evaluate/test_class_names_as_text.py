"""Metrics on Prefect's pages: whatever a class is called, its name is only text there."""

from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tasks.evaluate.metrics import METRICS, others
from tasks.publish.page.headline import verdict
from tasks.publish.parameters import PublishedFigure
from tasks.publish.release import prefect_artifacts
from tests.project import examples

ODD = ["<img src=x onerror=alert(1)>", "a|b*c", "[x](javascript:alert(1))", "`code`", "&lt;b&gt;"]


def metrics_of(*classes: str) -> dict:
    one = {"precision": 0.5, "recall": 0.25, "f1": 1 / 3, "support": 4}
    part = {name: {"mean": 0.5} for name in METRICS} | {
        "images": 8,
        "accuracy": {"mean": 0.75, "low": 0.41, "high": 0.93},
        "roc_auc": {"mean": None},
        "per_class": dict.fromkeys(classes, one),
    }
    return {"classes": list(classes), "test": part}


class Page(HTMLParser):
    """The elements of a page, and the text of each cell and heading."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.cells: list[str] = []
        self.inside = False
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        if tag in ("td", "h1"):
            self.cells.append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.cells[-1] += data


OURS = {"h1", "p", "table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize("name", ODD)
def test_a_class_name_is_text_in_the_summary(name):
    page = Page(prefect_artifacts.summary(name, metrics_of(name, "plain")))
    assert page.elements <= OURS
    assert page.cells[0] == f"{name}: 75.0% test accuracy"
    assert page.cells[1:6] == [name, "50.0%", "25.0%", "33.3%", "4"]
    assert page.cells[6] == "plain"


# An apostrophe has a test of its own, below.
SIGNS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="'")


@given(st.text(SIGNS, min_size=1))
@example("a\\|b")
@example("~~x~~ ![y](z)")
@examples(200)
def test_any_name_is_shown_as_it_is_on_one_line(name):
    shown = " ".join(name.split())
    page = Page(prefect_artifacts.summary("x", metrics_of(f"a{name}z", "plain")))
    assert page.elements <= OURS
    assert page.cells[1] == " ".join(f"a{name}z".split())
    assert "\n" not in prefect_artifacts.plain(name)
    assert len(prefect_artifacts.plain(name)) >= len(shown)


def test_an_apostrophe_is_shown_as_it_is():
    assert (
        Page(prefect_artifacts.summary("x", metrics_of("a dog's life"))).cells[1] == "a dog's life"
    )


def test_line_breaks_in_a_name_do_not_break_the_table():
    page = Page(prefect_artifacts.summary("x", metrics_of("a\n| b\r\n# c", "plain")))
    assert page.cells[1] == "a | b # c"
    assert page.cells[6] == "plain"


def test_the_summary_is_of_the_test_pictures_or_of_what_there_is():
    one = metrics_of("a", "b")
    assert "test accuracy" in prefect_artifacts.summary("x", one)
    assert "train accuracy" in prefect_artifacts.summary("x", {"train": one["test"]})


def test_only_the_first_classes_are_listed():
    names = [f"c{n}" for n in range(150)]
    page = Page(prefect_artifacts.summary("x", metrics_of(*names)))
    assert [cell for cell in page.cells if cell in names] == names[: prefect_artifacts.MOST_CLASSES]


def test_rows_are_plain_numbers_per_split():
    (row,) = prefect_artifacts.rows(metrics_of("a", "b"))
    first = {"split": "test", "pictures": 8, "accuracy": 0.75, "low": 0.41, "high": 0.93}
    assert row == first | {one.title: 0.5 for one in others(2).values()} | {"ROC AUC": None}


@given(st.text())
def test_artifact_keys_are_what_prefect_accepts(name):
    key = prefect_artifacts.artifact_key(name)
    assert key
    assert set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@pytest.mark.parametrize(
    ("published", "expected"), [(0.7, "As published"), (0.3, "Better than"), (0.95, "Below what")]
)
def test_a_published_figure_is_judged_by_the_interval(published, expected):
    accuracy = {"mean": 0.75, "low": 0.41, "high": 0.93}
    assert verdict(PublishedFigure(accuracy=published), accuracy).startswith(expected)


def test_without_a_published_figure_there_is_nothing_to_compare():
    assert verdict(None, {"mean": 1.0}) == "No figure is published for this experiment."
