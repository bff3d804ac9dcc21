"""Damage of every kind of file: it is named, mended, and never built on."""

import os
import random
import shutil

import pandas as pd
import pytest

from storage import folders
from storage.inventory import looking
from storage.inventory.kinds import KINDS, Again, all_files, kind_of
from storage.references import stored

# Of these nothing says that they were there, or what they held: what is lost is made in passing.
SILENT = {"format", "facts", "records", "fingerprints", "generations", "downloads", "locks"}
# Their rows are looked at, not every byte: what is not read may change.
UNREAD = {"manifests", "fingerprints"}
STEPS = ("acquire", "clean", "split", "extract", "train", "evaluate", "publish")


def flip(path):
    _changed(path, lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1])
             + data[len(data) // 2 + 1 :])  # fmt: skip


def truncate(path):
    _changed(path, lambda data: data[: len(data) // 2])


def empty(path):
    _changed(path, lambda _: b"")


def delete(path):
    path.unlink()


def replace_by_folder(path):
    path.unlink()
    path.mkdir()


def _changed(path, how):
    # As another file: a hard link to it stays as it was.
    data = how(path.read_bytes())
    path.unlink()
    path.write_bytes(data)


DAMAGES = [flip, truncate, empty, delete, replace_by_folder]


def one_of_each(workspace):
    """One file of every kind that is there, and of every sort of file in a kind."""
    found = {}
    for path in sorted(workspace.root.rglob("*")):
        kind = kind_of(workspace, path)
        if kind and (path.is_symlink() or (path.is_file() and path.stat().st_size)):
            place = path.relative_to(workspace.root).parts
            sort = path.suffix if kind.name in ("images", "splits") else path.name[:60]
            known = place[2] if kind.name == "records" else sort
            found.setdefault((kind.name, place[1][:6] if kind.name == "facts" else known), path)
    return found


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_of_every_kind_of_file_is_named(developed, workspace, tmp_path, damage):
    unnamed = []
    for (kind, sort), path in one_of_each(workspace).items():
        if path.is_symlink() and damage in (flip, truncate, empty):
            continue
        kept = tmp_path / "kept"
        shutil.move(path, kept)
        shutil.copy2(kept, path, follow_symlinks=False)
        damage(path)
        if not looking.damaged(workspace):
            unnamed.append((kind, sort))
        looking.remove([path])
        shutil.move(kept, path)
    silent = {delete: SILENT, flip: UNREAD}.get(damage, {"locks"})
    assert {kind for kind, _ in unnamed} <= silent, unnamed
    assert looking.damaged(workspace) == []


@pytest.fixture
def digests_of(workspace):
    """What each step of a run gave, by digest."""

    def of(result):
        keys = {
            step: sorted(workspace.results.glob(f"{step}-*"), key=os.path.getmtime)
            for step in STEPS
        }
        return {step: stored(found[-1]).digest for step, found in keys.items() if step != "publish"}

    return of


@pytest.mark.parametrize("damage", DAMAGES)
def test_after_repair_and_a_run_everything_is_as_it_was(
    darkroom, run, experiment, developed, workspace, digests_of, damage, capsys
):
    before, lines = digests_of(developed), _never_made_again(workspace)
    for path in one_of_each(workspace).values():
        if not path.is_symlink() and kind_of(workspace, path).name != "generations":
            damage(path)
    code, out, err = darkroom("cache", "verify", "--repair")
    assert code == 0, out + err
    assert "run again: darkroom run small" in out or "run again: small" in out
    assert _never_made_again(workspace) == lines
    result = run(experiment)
    assert digests_of(result) == before
    assert result["metrics"] == developed["metrics"]
    assert darkroom("cache", "verify")[:2] == (0, "everything is whole\n")


def _never_made_again(workspace):
    """What is in the files that no run makes again."""
    never = [kind for kind in KINDS if kind.again == Again.NEVER]
    files = (path for kind in never for one in kind.where for path in workspace.root.glob(one))
    return {path: path.read_bytes() for path in sorted(files) if path.is_file()}


@pytest.mark.parametrize("kind", ["images", "features", "models", "evaluations", "manifests"])
def test_a_run_that_meets_damage_mends_it_and_is_right(
    run, experiment, developed, workspace, digests_of, kind
):
    before = digests_of(developed)
    for (name, _), path in one_of_each(workspace).items():
        if name == kind and path.name != folders.CONTENTS:
            flip(path)
    result = run(experiment, rerun=["clean", "train", "evaluate"])
    assert digests_of(result) == before
    assert result["metrics"] == developed["metrics"]
    assert looking.damaged(workspace) == []


def test_a_cached_run_shows_no_damaged_figure(run, experiment, developed, workspace, answered):
    (metrics,) = workspace.evaluations.glob(f"*/{folders.METRICS}")
    text = metrics.read_text()
    accuracy = f'"published": {developed["metrics"]["test"]["accuracy"]["published"]}'
    assert accuracy in text
    metrics.write_text(text.replace(accuracy, accuracy[:-1] + "9"))
    result = run(experiment)
    assert result["metrics"] == developed["metrics"]
    assert {step["name"]: step["state"] for step in result["steps"]}["evaluate"] == "executed"


def test_a_damaged_model_is_not_used_to_classify(darkroom, developed, workspace, pictures):
    (model,) = workspace.models.glob("*/model.keras")
    flip(model)
    model.with_name(folders.OPENVINO_WEIGHTS).unlink(missing_ok=True)
    code, _, err = darkroom("classify", "small", pictures)
    assert code == 1
    assert "is damaged" in err


def test_predictions_are_tables_that_can_be_read_by_anybody(developed, workspace):
    (path,) = workspace.evaluations.glob(f"*/{folders.PREDICTIONS}")
    assert len(pd.read_parquet(path)) > 0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_workspace_that_was_copied_half_is_made_whole_by_a_run(
    darkroom, run, experiment, developed, workspace, digests_of, seed
):
    before, lines = digests_of(developed), _never_made_again(workspace)
    kept = ("generations", "lineages", "publications")
    files = sorted(path for path, kind in all_files(workspace) if kind and kind.name not in kept)
    for path in random.Random(seed).sample(files, len(files) // 2):
        path.unlink()
    assert darkroom("cache", "verify", "--repair")[0] == 0
    result = run(experiment)
    assert digests_of(result) == before
    assert result["metrics"] == developed["metrics"]
    assert _never_made_again(workspace) == lines
    assert darkroom("cache", "verify")[:2] == (0, "everything is whole\n")
