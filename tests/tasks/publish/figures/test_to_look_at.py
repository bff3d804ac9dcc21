"""The figures of a report: files in its folder, and their place on its page."""

import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from storage import folders
from storage.folders import (
    AUGMENTED,
    EIGHT,
    FEATURE_MAPS,
    GRAD_CAM,
    KERNELS,
    NETWORK_DRAWING,
    NETWORK_TABLE,
    REPORT,
)
from tasks.evaluate.close_up import selection
from tasks.evaluate.close_up.feature_maps import FeatureMaps
from tasks.evaluate.close_up.look import Looked
from tasks.pictures.parameters import Augmentation, Square
from tasks.publish import report_folder
from tasks.publish.figures import augmentation_sheet, grad_cam_overlay, to_look_at
from tasks.publish.page import run_page
from tests.tasks.publish import sample
from tests.tasks.publish.page.test_run_page import Seen

FIGURES = {AUGMENTED, EIGHT, FEATURE_MAPS, GRAD_CAM, KERNELS, NETWORK_DRAWING, NETWORK_TABLE}
TURNED = Augmentation(rotation=40, zoom=0.2, horizontal_flip=True)


def looked(made):
    """Feature maps of the first shown picture, and a heat map for each that deserves one."""
    pixels = np.random.default_rng(1).integers(0, 256, (32, 40, 40), np.uint8)
    maps = FeatureMaps("block1_conv1", (180, 180, 64), list(range(32)), pixels)
    images = [*selection.confident_errors(made.predictions), *selection.eight(made.predictions)]
    warm = {name: np.eye(5, dtype=np.uint8) * 255 for name in dict.fromkeys(images)}
    return Looked(selection.picture(made.predictions, None), maps, warm)


def whole_inputs(workspace, classes=("cat", "dog", "hen"), per_class=40, **changes):
    """All that a report can be made of."""
    bare = sample.inputs(workspace, classes, per_class)
    look = looked(bare)
    given = {
        "look": look,
        "heat_maps": grad_cam_overlay.overlays(bare.images, look.heat),
        "network": sample.network(),
        "augmented": augmentation_sheet.rows(bare.images, bare.split, TURNED, Square(64), 3),
    }
    return sample.inputs(workspace, classes, per_class, **(given | changes))


@pytest.fixture
def made(workspace):
    return whole_inputs(workspace)


def written(workspace, made, name="a"):
    target = workspace.reports / "sample" / name
    with folders.new_folder(target) as new:
        report_folder.write(new, made)
    return target


def test_every_figure_is_in_the_sealed_folder_and_the_same_each_time(workspace, made):
    first, second = written(workspace, made, "a"), written(workspace, made, "b")
    assert {path.name for path in first.iterdir()} >= FIGURES
    sealed = folders.read_json(first / "contents.json")
    assert sealed == folders.read_json(second / "contents.json")
    assert FIGURES - {GRAD_CAM} <= set(sealed)
    for path in first.rglob("*.png"):
        with Image.open(path) as image:
            image.verify()
            assert min(image.size) > 100


def test_what_is_not_known_is_left_out_of_folder_and_page(workspace):
    bare = sample.inputs(workspace)
    found = {path.name for path in written(workspace, bare).iterdir()}
    assert found & FIGURES == {EIGHT}
    text = Seen(run_page.page(bare)).text
    assert "8 test pictures drawn at random" in text
    for words in ("Feature maps", "Kernels", "Augmented pictures", "The network", "Grad-CAM:"):
        assert words not in text


def test_the_page_has_them_all_and_each_says_what_it_is(made):
    text = run_page.page(made)
    seen = Seen(text)
    assert len(text.encode()) < run_page.PAGE_BYTES
    for words in ("Feature maps", "Kernels", "Augmented pictures", "The network", "To look at"):
        assert words in seen.text
    assert all(one["alt"] for one in seen.all("img"))
    own = [one["alt"] for one in seen.all("img") if "data-picture" not in one]
    assert sum("block1_conv1 (180 x 180 x 64)" in one for one in own) == 1
    assert sum("each followed by 7 changed ones" in one for one in own) == 1
    for name in ("the picture", "box blur, 1/9 of", "Sobel x", "Sobel y", "Sobel magnitude"):
        assert sum(one.endswith(name) for one in own) == 1
    for attribute in re.findall(r'(?:src|href)="([^"]*)"', text):
        assert attribute.startswith(("data:", "#"))
    drawn = [one["aria-label"] for one in seen.all("svg")]
    assert any("7 layers, pictures to both" in one for one in drawn)


def test_errors_and_the_eight_have_their_heat_on_the_page(made):
    seen = Seen(run_page.page(made))
    warm = [one for one in seen.all("img") if one.get("class") == "heat"]
    errors = min(selection.MOST_ERRORS, int((~made.shown_predictions()["correct"]).sum()))
    assert errors > 3
    assert len(warm) == errors + selection.DRAWN_AT_RANDOM
    assert all("hidden" in one and one["alt"].startswith("Grad-CAM of ") for one in warm)
    assert sum("data-heat" in one for one in seen.all("button")) == 2


def test_strange_names_are_text_in_every_figure(workspace):
    rows = sample.network(name=sample.HOSTILE[1])
    rows[1]["inside"] = [sample.HOSTILE[0]]
    maps = FeatureMaps(sample.HOSTILE[0], (5, 5, 1), [0], np.zeros((1, 5, 5), np.uint8))
    bare = sample.inputs(workspace, sample.HOSTILE, 12)
    predictions = bare.predictions.assign(name=lambda table: "../<b>é$x^2$ " + table["name"])
    look = Looked(selection.picture(predictions, None), maps, looked(bare).heat)
    made = sample.inputs(
        workspace, sample.HOSTILE, 12, predictions=predictions, look=look, network=rows,
        heat_maps=grad_cam_overlay.overlays(bare.images, look.heat),
    )  # fmt: skip
    target = written(workspace, made)
    seen = Seen((target / REPORT).read_text(encoding="utf-8"))
    assert len(seen.all("script")) == 2
    assert not seen.all("b")
    assert all("onerror" not in attributes for _, attributes in seen.elements)
    assert sample.HOSTILE[0] in seen.text
    drawing = ET.parse(target / NETWORK_DRAWING)
    assert {one.tag.rpartition("}")[2] for one in drawing.iter()}.isdisjoint({"script", "img"})
    inside = sorted((target / GRAD_CAM).iterdir())
    assert len(inside) == len(made.heat_maps)
    assert all(path.resolve().parent == (target / GRAD_CAM).resolve() for path in inside)
    assert "</script>" in (target / NETWORK_TABLE).read_text(encoding="utf-8")


def test_a_picture_that_is_gone_is_passed_over(workspace, made):
    for path in made.images.root.glob("*/*"):
        path.unlink()
    found = {path.name for path in written(workspace, made).iterdir()}
    assert found & {EIGHT, KERNELS} == set()
    assert {FEATURE_MAPS, NETWORK_DRAWING} <= found
    assert grad_cam_overlay.overlays(made.images, made.look.heat) == {}


def test_publish_needs_no_tensorflow():
    code = (
        "import sys, tasks.publish.step; sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_drawing_too_large_for_the_page_is_named_there(tmp_path, workspace):
    made = sample.inputs(workspace, network=sample.network(to_look_at.MOST_LAYERS - 3))
    assert len(to_look_at.section(made)["network"].svg) < 500_000
    made = sample.inputs(workspace, network=sample.network(to_look_at.MOST_LAYERS - 2))
    text = Seen(run_page.page(made)).text
    assert "201 layers is too large for this page: network.svg and network.txt" in text
    to_look_at.write(tmp_path, made)
    assert (tmp_path / NETWORK_DRAWING).stat().st_size > 250_000
