"""The pages: made from the code where they say so, built strictly, and their commands work."""

import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request

import pytest

from docs.reference import generate
from tests.pictures import picture, write_folders
from tests.project import PROJECT

DOCS = PROJECT / "docs"
LONGEST_HOW_TO = 60
HOW_TO = sorted((DOCS / "how-to").glob("*.md"))
PAGES = generate.pages()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_reference_is_what_the_code_says(name):
    page = (DOCS / "reference" / name).read_text()
    assert page == PAGES[name], "run `python -m docs.reference.generate`"


def test_there_is_no_page_of_the_reference_that_nothing_makes():
    there = {path.name for path in (DOCS / "reference").glob("*.md")}
    assert there == set(PAGES)


@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)
def test_a_how_to_is_short(page):
    assert len(page.read_text().splitlines()) <= LONGEST_HOW_TO


def test_the_site_is_built_strictly_without_the_internet(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=PROJECT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "index.html").read_text()
    assert re.findall(r'<(?:script|img|link)\b[^>]*"https?://[^>]*', page) == []


FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, language=""):
    """The fenced blocks of a page in one language."""
    return [text for found, text in FENCED.findall(page.read_text()) if found == language]


def words_of(block):
    """The commands of a block, a list of words each."""
    return [shlex.split(line, comments=True) for line in block.splitlines() if line.strip()]


@pytest.fixture
def told(prefect_server, tmp_path, monkeypatch, darkroom):
    """Do what a page says in an empty folder; what each command printed, by its words."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BROWSER", "true")
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "PREFECT_API_URL": prefect_server}
    started = {"cwd": tmp_path, "env": environment, "text": True}

    def run(*words):
        code, out, err = darkroom(*words)
        assert code == 0, f"darkroom {shlex.join(words)}\n{err}"
        return out

    def serve(*words):
        process = subprocess.Popen(
            [sys.executable, "-m", "flows", *words, "--port", "0"],
            **started, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            lines = iter(process.stdout.readline, "")
            address = next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))
            with urllib.request.urlopen(f"{address.rstrip('/')}/health", timeout=60) as answer:
                return answer.read().decode()
        finally:
            process.terminate()
            process.communicate(timeout=60)

    def act(page):
        printed = {}
        for language, text in FENCED.findall(page.read_text()):
            if language == "python" and "darkroom" not in text:
                subprocess.run([sys.executable, "-c", text], **started, check=True)
            if language:
                continue
            for words in words_of(text):
                if words[0] == "darkroom":
                    call = serve if words[1] == "serve" else run
                    printed[shlex.join(words)] = call(*words[1:])
                elif words[0] == "mv":
                    (tmp_path / words[1]).rename(tmp_path / words[2] / words[1].split("/")[-1])
                else:
                    assert words[0] in ("make", "source"), words
        return printed

    return act


def test_the_tutorial_works_and_finds_the_wrong_label(told, tmp_path):
    printed = told(DOCS / "tutorial.md")
    assert len(printed) == 7
    pages = sorted((tmp_path / "workspace" / "reports" / "my-pictures").glob("2*/report.html"))
    assert len(pages) == 3
    doubts = [page.read_text().partition("Labels that may be wrong")[2][:4000] for page in pages]
    assert "108" in doubts[0]
    explained = next(text for words, text in printed.items() if " explain " in words)
    assert [line.split()[1] for line in explained.splitlines()][:5] == ["cached"] * 4 + ["run"]
    classified = next(text for words, text in printed.items() if " classify " in words)
    assert "7: " in classified


def test_the_commands_of_the_readme_work(told, tmp_path):
    write_folders(tmp_path / "holiday", per_class=12)
    (tmp_path / "new.jpg").write_bytes(picture(77))
    printed = told(PROJECT / "README.md")
    assert len(printed) >= 3


MAKE = sorted(
    {
        words[1]
        for page in (PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", DOCS / "tutorial.md")
        for block in blocks(page)
        for words in words_of(block)
        if words[0] == "make"
    }
)


@pytest.mark.parametrize("target", MAKE)
def test_every_target_that_is_named_is_there(target):
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", [*HOW_TO, PROJECT / "README.md"], ids=lambda page: page.stem)
def test_every_command_that_is_named_has_these_words(page):
    from flows.command.app import app

    for block in blocks(page):
        for words in words_of(block):
            if words[0] == "darkroom":
                found, *_ = app.parse_args(words[1:], exit_on_error=False, print_error=False)
                assert found.__module__.startswith("flows.command.")


def test_every_yaml_block_of_experiments_can_be_read():
    import yaml

    for page in HOW_TO:
        for block in blocks(page, "yaml"):
            assert json.dumps(yaml.safe_load(block))
