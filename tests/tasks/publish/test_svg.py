"""Charts as SVG: what is written in them is what was said, and their tags are the page's."""

from xml.etree import ElementTree as ET

import pytest

from storage.folders import NETWORK_DRAWING
from tasks.publish.figures import network_drawing
from tasks.publish.page import charts
from tests.tasks.publish import sample


def written(svg):
    return [
        "".join(one.itertext()) for one in ET.fromstring(svg).iter() if one.tag.endswith("text")
    ]


@pytest.mark.parametrize("name", sample.HOSTILE)
def test_a_name_stands_in_a_chart_as_it_is(name):
    chart = charts.intervals("T", [charts.Interval(name, 0.5, 0.4, 0.6, 9)], 0.7, "mark")
    expected = name if len(name) <= charts.LONGEST_LABEL else name[:21] + "…"
    assert expected in written(chart.svg)


def test_tags_have_the_colours_of_the_page_and_no_font_nor_identifier_of_their_own():
    rows = [charts.Interval(name, 0.5, 0.4, 0.6, 9) for name in sample.HOSTILE]
    first, second = (charts.intervals(title, rows, 0.7, "mark").svg for title in "AB")
    root, other = ET.fromstring(first), ET.fromstring(second)
    del root.attrib["aria-label"]
    values = [value for one in root.iter() for value in one.attrib.values()]
    assert any("var(--series-0)" in value for value in values)
    assert any("font-size: 9px" in value for value in values)
    assert not any("#a0f" in value or "font:" in value for value in values)
    named, others = ({one.get("id") for one in each.iter()} - {None} for each in (root, other))
    assert named
    assert named.isdisjoint(others)
    assert {
        value.split("#")[1].rstrip(")") for value in values if value.startswith("url(#")
    } <= named


def test_a_layer_stands_in_the_drawing_as_it_is(tmp_path):
    name = "#a0f0f1 #a0f100"
    path = network_drawing.save(tmp_path / NETWORK_DRAWING, sample.network(1, name=name))
    assert f"{name}_0" in written(path.read_text(encoding="utf-8"))
