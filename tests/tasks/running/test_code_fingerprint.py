"""The fingerprint of code changes when what a step does may change, and only then."""

import ast
import shutil
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.running import code_fingerprint

FILES = {
    "tasks/__init__.py": "",
    "tasks/train/__init__.py": '"""A package."""\n',
    "tasks/train/step.py": '''
        """A step."""

        from prefect import task

        from tasks.train.fit import fit


        @task
        def train(x):
            """Train."""
            return fit(x)
        ''',
    "tasks/train/fit.py": '''
        import numpy as np

        from storage import atomic
        from tasks import pictures
        from tasks.running import progress


        class Fit:
            """A fit."""

            epochs: int = Field(3, gt=0, description="Passes over the pictures.")

            def run(self):
                """Run."""
                return 1


        async def later():
            """Later."""


        def fit(x):
            """Fit x."""
            # a comment
            return atomic.write(x) + 1
        ''',
    "tasks/train/templates/page.html": "<html>",
    "tasks/split/__init__.py": "",
    "tasks/split/rules.py": "LIMIT = 1\n",
    "tasks/pictures.py": "import tasks.colours\n\nSIDE = 5\n",
    "tasks/colours.py": "DEPTH = 8\n",
    "tasks/running/progress.py": "import storage.names\n\nSECONDS = 5\n",
    "storage/__init__.py": "",
    "storage/atomic.py": """
        from storage import digests


        def write(x):
            return digests.of(x)
        """,
    "storage/digests.py": "import storage.atomic\n\nFORMAT = 1\n\n\ndef of(x):\n    return x\n",
    "storage/names.py": "LONGEST = 120\n",
    "storage/unused.py": "X = 1\n",
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small project of its own to take fingerprints of."""
    for name, text in FILES.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    monkeypatch.setattr(code_fingerprint, "PROJECT", tmp_path / "project")
    code_fingerprint.fingerprint.cache_clear()
    yield tmp_path / "project"
    code_fingerprint.fingerprint.cache_clear()


def fingerprint(package="tasks.train"):
    """The fingerprint as a new process would take it."""
    code_fingerprint.fingerprint.cache_clear()
    return code_fingerprint.fingerprint(package)


def edit(project, name, old, new):
    """Replace text in a file of the project, and say what the fingerprint was before."""
    before = fingerprint()
    text = (project / name).read_text()
    assert old in text
    (project / name).write_text(text.replace(old, new))
    return before


def test_the_fingerprint_is_the_same_in_another_place(project, tmp_path, monkeypatch):
    before = fingerprint()
    project.rename(tmp_path / "moved")
    monkeypatch.setattr(code_fingerprint, "PROJECT", tmp_path / "moved")
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# a comment", "# another comment"),
        ("    # a comment\n", ""),
        ('"""Fit x."""', '"""Fits x, at last."""'),
        ('"""A fit."""', '"""Another\n\n    fit."""'),
        ('"""Run."""', "'run'"),
        ('"""Later."""', '"""Sooner."""'),
        ("return atomic.write(x) + 1", "return (\n        atomic.write( x )\n        + 1\n    )"),
        ("import numpy as np\n", "import numpy as np  # why\n\n\n"),
        ('"Passes over the pictures."', '"How often every picture is seen."'),
        (', description="Passes over the pictures."', ""),
    ],
)
def test_what_only_readers_see_does_not_count(project, old, new):
    assert edit(project, "tasks/train/fit.py", old, new) == fingerprint()


@pytest.mark.parametrize("name", ["tasks/train/__init__.py", "tasks/train/step.py"])
def test_the_docstring_of_a_module_does_not_count(project, name):
    assert edit(project, name, '"""A ', '"""The ') == fingerprint()


@given(words=st.text(st.characters(codec="ascii", categories=["L", "N", "Zs"]), max_size=30))
def test_no_comment_or_docstring_changes_a_fingerprint(tmp_path_factory, words):
    folder = tmp_path_factory.mktemp("project")
    digests = set()
    for text in ("", words):
        (folder / "module.py").write_text(f'"""{text}"""\n# {text}\ndef f():\n    "{text}"\n')
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(code_fingerprint, "PROJECT", folder)
            digests.add(
                code_fingerprint._tree_digest(ast.parse((folder / "module.py").read_bytes()))
            )
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("tasks/train/fit.py", "+ 1", "+ 2"),
        ("tasks/train/fit.py", "def fit(x)", "def fit(x, y=1)"),
        ("tasks/train/fit.py", "import numpy as np\n", ""),
        ("tasks/train/fit.py", "return 1", "return '1'"),
        ("tasks/train/fit.py", "Field(3", "Field(4"),
        ("tasks/train/fit.py", "gt=0", "gt=1"),
        ("tasks/train/fit.py", "Field(3, gt=0, description=", "dict(e=3, gt=0, description="),
        ("tasks/train/step.py", "@task", "@task(retries=1)"),
        ("tasks/train/templates/page.html", "<html>", "<html> "),
        ("tasks/pictures.py", "5", "6"),
        ("tasks/colours.py", "8", "9"),
        ("storage/digests.py", "FORMAT = 1", "FORMAT = 2"),
    ],
    ids=[
        "a line", "a parameter", "an import", "a type", "a default", "a bound", "another's words",
        "a decorator", "a template",
        "an imported module", "import a.b, which that imports", "a stored format",
    ],
)  # fmt: skip
def test_a_change_of_what_the_step_does_counts(project, name, old, new):
    assert edit(project, name, old, new) != fingerprint()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("tasks/split/rules.py", "1", "2"), ("storage/unused.py", "1", "2")],
)
def test_what_is_not_imported_does_not_count(project, name, old, new):
    assert edit(project, name, old, new) == fingerprint()


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("tasks/running/progress.py", "5", "6"),
        ("storage/names.py", "120", "121"),
        ("storage/atomic.py", "of(x)", "of(x, 1)"),
        ("storage/digests.py", "return x", "return -x"),
    ],
)
def test_what_runs_a_step_or_keeps_its_result_does_not_count(project, name, old, new):
    assert edit(project, name, old, new) == fingerprint()


def test_a_change_is_seen_only_by_those_that_import_it(project):
    before = fingerprint("tasks.split")
    (project / "tasks" / "colours.py").write_text("DEPTH = 7\n")
    assert fingerprint("tasks.split") == before


def test_a_new_module_or_template_counts(project):
    seen = [fingerprint()]
    (project / "tasks" / "train" / "more.py").write_text("X = 1\n")
    seen.append(fingerprint())
    (project / "tasks" / "train" / "templates" / "style.css").write_text("")
    seen.append(fingerprint())
    (project / "tasks" / "train" / "templates" / "style.css").rename(
        project / "tasks" / "train" / "templates" / "other.css"
    )
    seen.append(fingerprint())
    assert len(set(seen)) == 4


def test_what_python_compiles_does_not_count(project):
    before = fingerprint()
    cache = project / "tasks" / "train" / "__pycache__"
    cache.mkdir()
    (cache / "fit.cpython-311.pyc").write_bytes(b"x")
    # Python writes a temporary sibling first; a killed process leaves it behind.
    (cache / "fit.cpython-311.pyc.140234").write_bytes(b"x")
    assert fingerprint() == before


def test_modules_that_import_each_other_are_no_obstacle(project):
    (project / "tasks" / "colours.py").write_text("import tasks.pictures\n")
    assert fingerprint("tasks.pictures") != fingerprint("tasks.split")


def test_one_module_has_a_fingerprint_too(project):
    before = fingerprint("tasks.pictures")
    edit(project, "tasks/colours.py", "8", "9")
    assert fingerprint("tasks.pictures") != before


def test_fields_that_newer_pythons_add_do_not_count():
    older, newer = (ast.parse("class A:\n    x = [1, None, 'a']\n") for _ in range(2))
    newer.body[0]._fields = (*newer.body[0]._fields, "added")
    for added in ([], None):
        newer.body[0].added = added
        assert code_fingerprint._plain(older) == code_fingerprint._plain(newer)
    newer.body[0].added = [ast.Pass()]
    assert code_fingerprint._plain(older) != code_fingerprint._plain(newer)


def test_a_fingerprint_is_taken_once_per_process(project, opened):
    fingerprint()
    opened.clear()
    code_fingerprint.fingerprint("tasks.train")
    assert opened == []


@pytest.mark.parametrize(
    "step", ["acquire", "clean", "split", "extract", "train", "evaluate", "publish"]
)
def test_every_step_of_the_project_has_a_fingerprint(step):
    assert len(fingerprint(f"tasks.{step}")) == 16


EVERY_STEP = ("acquire", "clean", "split", "extract", "train", "evaluate", "publish")


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """The project's own code, to be changed."""
    for room in code_fingerprint.ROOMS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(code_fingerprint.PROJECT / room, tmp_path / room, ignore=ignored)
    monkeypatch.setattr(code_fingerprint, "PROJECT", tmp_path)
    yield tmp_path
    code_fingerprint.fingerprint.cache_clear()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("storage/errors.py", "class Sunk(StorageError):\n    pass"),
        ("storage/workspace.py", "def more():\n    return 1"),
        ("tasks/running/progress.py", "SECONDS_BETWEEN_UPDATES = 1.0"),
    ],
    ids=["an error class", "a path", "the progress bar"],
)
def test_what_cannot_change_a_result_reruns_no_step(copy, name, line):
    before = {step: fingerprint(f"tasks.{step}") for step in EVERY_STEP}
    (copy / name).write_text(f"{(copy / name).read_text()}\n\n{line}\n")
    assert {step: fingerprint(f"tasks.{step}") for step in EVERY_STEP} == before


def test_what_decides_a_pixel_reruns_what_looks_at_pixels(copy):
    before = {step: fingerprint(f"tasks.{step}") for step in EVERY_STEP}
    path = copy / "tasks" / "pictures" / "resizing.py"
    path.write_text(path.read_text() + "\nMORE = 1\n")
    changed = {step for step in EVERY_STEP if fingerprint(f"tasks.{step}") != before[step]}
    assert {"extract", "train"} <= changed
    assert "split" not in changed
