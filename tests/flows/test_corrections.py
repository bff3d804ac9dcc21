"""Labels that were corrected in a report: the next run follows them, and computes nothing twice."""

import pandas as pd
import pytest

from storage.errors import ParameterError
from tests.flows.conftest import parameters


@pytest.fixture
def corrected(developed, pictures, workspace, tmp_path):
    """Run with so many test pictures' labels turned around; (experiment, their images)."""
    from flows.parameters import Experiment

    def made(*verdicts):
        (table,) = [pd.read_parquet(one) for one in workspace.evaluations.glob("*/predictions*")]
        tested = table[table["split"] == "test"].head(len(verdicts))
        classes = sorted(table["label"].unique())
        lines = ["image,name,was,verdict,is,when"]
        for verdict, row in zip(verdicts, tested.itertuples(), strict=True):
            now = classes[1 - classes.index(row.label)] if verdict == "class" else row.label
            lines.append(f"{row.image[:64]},{row.name},{row.label},{verdict},{now},2026")
        file = tmp_path / "corrections.csv"
        file.write_text("\n".join(lines))
        tree = parameters(pictures)
        tree["source"]["corrections"] = str(file)
        return Experiment.model_validate(tree), tested

    return made


def test_only_what_follows_runs_and_nothing_is_extracted(run, corrected, developed, workspace):
    experiment, tested = corrected("class", "right", "out")
    result = run(experiment)
    states = {step["name"]: step["state"] for step in result["steps"]}
    assert states["acquire"] == "cached"
    assert states["clean"] == states["train"] == "executed"
    assert (result["counts"]["decoded"], result["counts"]["extracted"]) == (0, 0)
    said = "labels corrected by people: 1 changed, 1 confirmed, 1 thrown out"
    assert said in result["remarks"]
    assert result["counts"]["images"] == developed["counts"]["images"] - 1
    page = (workspace.reports / "small" / "latest" / "report.html").read_text()
    assert "Labels changed by people: 1; looked at and left: 1; pictures thrown out: 1." in page
    assert "by the labels as they were" in page
    table = pd.read_parquet(result["predictions"]).set_index("image")
    changed, _, out = tested["image"]
    assert table["label"][changed] != tested.set_index("image")["label"][changed]
    assert out not in table.index
    # The picture stays in its split, whatever it is called.
    assert table["split"][changed] == "test"
    again = run(experiment)
    assert {step["state"] for step in again["steps"]} == {"cached"}


def test_the_model_before_is_judged_by_the_corrected_labels(run, corrected, developed, workspace):
    """With every test label turned around, what was right of both models is wrong of both."""
    experiment, tested = corrected(*["class"] * 6)
    result = run(experiment)
    page = (workspace.reports / "small" / "latest" / "report.html").read_text()
    before = developed["metrics"]["test"]["accuracy"]["published"]
    wrong = f"{100 * (1 - before):.1f}\u202f%"
    assert f"on {wrong} as corrected." in page
    assert result["metrics"]["test"]["images"] == len(tested)


def test_without_the_file_or_with_another_experiments_the_run_says_so(run, corrected, tmp_path):
    experiment, _ = corrected("class")
    file = tmp_path / "corrections.csv"
    file.write_text(file.read_text().splitlines()[0] + f"\n{'0' * 64},,,out,,\n")
    with pytest.raises(ParameterError, match="of another experiment"):
        run(experiment)
    file.unlink()
    with pytest.raises(ParameterError, match=r"corrections\.csv"):
        run(experiment)
