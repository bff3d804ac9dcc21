"""No memory, files or addresses, a path too long, a file in the way: one line, and exit 1."""

import errno
import resource
import subprocess
import sys

import pytest

from flows.command.system_limits import explained
from storage.errors import SourceMissing
from tests.flows.conftest import parameters
from tests.pictures import write_folders
from tests.project import PROJECT


def run(*words, limit=None):
    def lower():
        if limit:
            resource.setrlimit(limit[0], (limit[1], limit[1]))

    done = subprocess.run(
        [sys.executable, "-m", "flows", *map(str, words)],
        cwd=PROJECT, capture_output=True, text=True, check=False, preexec_fn=lower, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stderr.strip().splitlines()


def test_few_addresses_are_refused_before_anything_begins(workspace):
    code, lines = run("run", "digits", limit=(resource.RLIMIT_AS, 1 << 30))
    assert code == 1
    assert len(lines) == 1
    assert "found a limit of 1.0 (`ulimit -v`)" in lines[0]
    assert not workspace.root.exists()


def test_a_path_that_is_too_long_is_not_printed_whole(monkeypatch):
    monkeypatch.setenv("DARKROOM_HOME", "/tmp/" + "/".join(["x" * 200] * 21))
    code, lines = run("run", "my-pictures", "--set", "source.folder=docs", "--until", "acquire")
    assert code == 1
    assert "characters, more than this system takes" in lines[-1]
    assert len(lines[-1]) < 300


def test_a_file_where_a_folder_should_be_is_named(answered, tmp_path, workspace):
    workspace.root.mkdir(parents=True)
    workspace.images.write_text("not ours")
    tree = parameters(write_folders(tmp_path / "pictures", per_class=2))
    code, _, err = answered("run", "small", "--until", "acquire", experiment=tree)
    assert code == 1
    assert "found a file: move it" in err.strip().splitlines()[-1]
    assert workspace.images.read_text() == "not ours"


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (MemoryError("1 GiB"), "no memory left"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "no memory left"),
        (OSError(errno.ENOSPC, "No space left", "/a"), "no space left while writing /a"),
        (OSError(errno.EMFILE, "Too many open files", "/a"), "ulimit -n"),
    ],
)
def test_what_the_system_says_becomes_what_to_do(error, word):
    assert word in str(explained(error))


def test_other_errors_stay_as_they_are():
    for error in (ValueError("x"), SourceMissing("y"), OSError(errno.EACCES, "denied", "/a")):
        assert explained(error) is error
