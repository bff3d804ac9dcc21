"""The notebook of examples/ runs from its first cell to its last, as it is."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.project import PROJECT

NOTEBOOK = PROJECT / "examples" / "own_pictures.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory, prefect_home):
    """The notebook after all of its cells have run, in a folder outside of the project."""
    folder = tmp_path_factory.mktemp("notebook")
    own = {
        "DARKROOM_HOME": str(folder / "workspace"),
        "PREFECT_HOME": str(prefect_home),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PYTHONPATH": str(PROJECT),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PREFECT_API_URL", raising=False)
        for name, value in own.items():
            patch.setenv(name, value)
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        client = NotebookClient(
            notebook, timeout=400, resources={"metadata": {"path": str(folder)}}
        )
        return client.execute(env=dict(os.environ)), folder


def shown(executed, words):
    """What the cell whose source has `words` gave, as text."""
    notebook, _ = executed
    (cell,) = [one for one in notebook.cells if one.cell_type == "code" and words in one.source]
    return cell.outputs[-1]["data"]["text/plain"]


def test_a_run_gives_metrics_that_are_about_right(executed):
    rows = {
        line.split()[0]: float(line.split()[1])
        for line in shown(executed, "result.metrics.loc").splitlines()
        if len(line.split()) == 4
    }
    assert rows["accuracy"] > 0.9


def test_features_fit_a_model_of_ones_own(executed):
    assert float(shown(executed, "LogisticRegression")) > 0.9


def test_a_changed_head_reruns_what_follows_from_it(executed):
    lines = [line.split() for line in shown(executed, "explain(NAME, changed)").splitlines()[1:]]
    assert [line[2] for line in lines][:5] == ["cached"] * 4 + ["run"]


def test_it_is_kept_without_what_it_printed():
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_the_report_is_there(executed):
    _, folder = executed
    assert Path(shown(executed, "result.report.name").strip("'")).suffix == ".html"
    assert list(folder.glob("workspace/reports/digits/*/report.html"))
