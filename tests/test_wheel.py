"""The wheel holds all that runs need: it works in an empty folder, outside of the checkout."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.project import PROJECT

SCRIPT = """
import json, sys
import darkroom, flows
from flows.command.app import main
code = main(["explain", "digits", "--json"])
print(json.dumps([code, flows.__file__, len(darkroom.explain("digits-lenet5"))]))
"""


def tracked(*places):
    """Files of the project that git knows and that are there."""
    words = ["git", "ls-files", "-z", "--", *places]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if name and (PROJECT / name).is_file()]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The wheel's files, as an installation has them."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a copy: setuptools leaves what it built beside the sources
    for name in tracked("."):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / name, source / name)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--wheel-dir", str(folder), str(source)],
        check=True, cwd=folder,
    )  # fmt: skip
    (wheel,) = folder.glob("darkroom-*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_works_in_an_empty_folder(unpacked, tmp_path, workspace):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(unpacked)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told, (code, place, steps) = map(json.loads, done.stdout.splitlines())
    assert (code, steps) == (0, 7)
    assert [step["state"] for step in told["steps"]] == ["run"] * 7
    assert Path(place).is_relative_to(unpacked)


def test_every_module_template_and_list_is_in_it(unpacked):
    wanted = tracked("flows", "tasks", "storage", "darkroom.py", "deployments/prefect.yaml")
    assert len(wanted) > 200
    assert [name for name in wanted if not (unpacked / name).is_file()] == []
