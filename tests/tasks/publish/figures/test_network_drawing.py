"""A network as a table and as a drawing."""

import itertools
import re
from xml.etree import ElementTree as ET

import pytest

from storage.folders import NETWORK_DRAWING
from tasks.publish.figures import network_drawing, network_table
from tests.tasks.publish import sample


def test_the_table_has_a_line_per_layer_and_totals():
    lines = network_table.table(sample.network()).splitlines()
    assert " ".join(lines[0].split()) == "Layer (type) Output Shape Param # Trainable"
    assert lines[2].startswith("pictures (InputLayer)")
    assert lines[3:5] == ["backbone (model)", "   vgg16 (model)"]
    assert " ".join(lines[5].split()) == "layer_0 (Conv2D) (None, 5, 5, 512) 1,000 N"
    assert lines[9] == "head (model)"
    assert lines[10].split()[-2:] == ["1,000", "Y"]
    assert lines[11].split()[-2:] == ["0", "-"]
    assert lines[-3:] == [
        "Total params: 5,000 (19.53 KB)",
        "Trainable params: 1,000 (3.91 KB)",
        "Non-trainable params: 4,000 (15.62 KB)",
    ]


@pytest.mark.parametrize("count", [1, 4, 30])
def test_the_drawing_has_a_box_per_layer_and_a_line_per_connection(tmp_path, count):
    rows = sample.network(count)
    text = network_drawing.save(tmp_path / NETWORK_DRAWING, rows).read_text(encoding="utf-8")
    ET.fromstring(text)
    for row in rows:
        assert f">{row['name']}<" in text
    assert text.count("Conv2D (None, 5, 5, 512)") == count + 2
    arrows = sum(len(row["after"]) for row in rows)
    # A background, a box per layer, a line and a head per arrow.
    assert len(re.findall(r'<g id="patch_\d+"', text)) == 1 + len(rows) + arrows
    assert text.count(f"stroke: {network_drawing.ALONE[network_drawing.TRAINED]}") == 1
    assert "#a0f" not in text


def test_lines_cross_no_box():
    corners = [network_drawing._corner(number, 5) for number in range(15)]
    for source in range(15):
        for target in range(source + 1, 15):
            way = network_drawing._way(source, target, corners)
            for (x1, y1), (x2, y2) in itertools.pairwise(way):
                assert x1 == x2 or y1 == y2
                for left, top in corners:
                    inside_x = (
                        max(x1, x2) > left + 0.01
                        and min(x1, x2) < left + network_drawing.WIDTH - 0.01
                    )
                    inside_y = (
                        max(y1, y2) > top + 0.01
                        and min(y1, y2) < top + network_drawing.HEIGHT - 0.01
                    )
                    assert not (inside_x and inside_y), (source, target)
