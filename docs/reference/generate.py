"""The pages of docs/reference, made from the code: `python -m docs.reference.generate`."""

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel

from flows import listing
from flows.command.app import DONE, FAILED, INTERRUPTED, WRONG_WORDS, app
from flows.experiments import deployments
from flows.summary import Counts, Summary
from storage import folders
from storage.inventory.kinds import KINDS
from storage.statuses import IGNORED, REJECTED, DownloadStatus, Explained, Status
from storage.workspace import Workspace
from tasks.evaluate.metrics import METRICS
from tasks.running.outcomes import StepOutcome

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
ROOMS = ("flows", "tasks", "storage")
MADE = "<!-- Made by `python -m docs.reference.generate`: change the code, not this page. -->"


def pages() -> dict[str, str]:
    """File name -> Markdown of every page."""
    made = {
        "commands.md": commands(),
        "parameters.md": parameters(),
        "experiments.md": experiments(),
        "run.md": run(),
        "statuses.md": statuses(),
        "folders.md": folders_of_the_workspace(),
        "modules.md": modules(),
    }
    return {name: f"{MADE}\n\n{text.strip()}\n" for name, text in made.items()}


def commands() -> str:
    """Every command with its words, as cyclopts describes it."""
    given, sys.argv = sys.argv, ["darkroom"]  # cyclopts takes the words of this process for usage
    try:
        text = app.generate_docs(output_format="markdown", include_hidden=False)
    finally:
        sys.argv = given
    codes = [
        (DONE, "done"),
        (FAILED, "failed: one line says why; `--debug` adds the traceback and Prefect's log"),
        (WRONG_WORDS, "wrong words: the line names the nearest right ones"),
        (INTERRUPTED, "interrupted: the same command goes on where it was"),
    ]
    exits = _table(("Exit code", "Means"), ((str(code), words) for code, words in codes))
    return text.replace("# darkroom\n", "# Commands\n", 1) + f"\n## Exit codes\n\n{exits}"


def parameters() -> str:
    """Every parameter of every kind, with its type, default and meaning."""
    parts = ["# Parameters", "What `--set NAME=VALUE` takes; values are YAML."]
    for section in listing.sections():
        name = section.parameters[0].name.partition(".")[0]
        heading, _, about = section.heading.partition(": ")
        parts.append(f"## {heading or name}")
        parts += [about] if about else []
        rows = (
            (
                f"`{one.name}`",
                "" if one.value is None else f"`{one.value}`",
                _cell(one.takes),
                _cell(one.about),
            )
            for one in section.parameters
        )
        parts.append(_table(("Name", "Default", "Takes", "Meaning"), rows))
    return "\n\n".join(parts)


def experiments() -> str:
    """The experiments that there are."""
    rows = (
        (f"`{name}`", _cell(" ".join(one["description"].split())))
        for name, one in deployments().items()
    )
    return f"# Experiments\n\n{_table(('Name', 'What it is'), rows)}"


def run() -> str:
    """The JSON object of a run, and the metrics in it."""
    metrics = (
        (
            f"`{name}`",
            _cell(_first_paragraph(metric.of)),
            "higher is better" if metric.higher_is_better else "lower is better",
        )
        for name, metric in METRICS.items()
    )
    return "\n\n".join(
        [
            "# A run as JSON",
            "`darkroom run NAME --json` prints one object last, after the progress on standard "
            "error. What a run did not come to is null. A closed gate prints it too, other "
            "failures do not.",
            _fields(Summary),
            "## steps",
            _fields(StepOutcome),
            "## counts",
            _fields(Counts),
            "## metrics",
            _table(("Name", "What it is", ""), metrics),
            "## Other commands",
            "`darkroom explain NAME --json` prints `experiment` and `steps`, each with `name`, "
            "`state` and `why`. `darkroom classify MODEL PICTURES --json` prints `model` and "
            "`images`, each with `image`, `label`, `probability`, `reason`, `correct`, and with "
            "`--drawn` also `drawn`.",
        ]
    )


def statuses() -> str:
    """What may become of a picture, and of an address."""
    ignored = [one for one in Status if one in IGNORED]
    rejected = [one for one in Status if one in REJECTED]
    passing = [one for one in DownloadStatus if one.may_succeed_later]
    lasting = [one for one in DownloadStatus if not one.may_succeed_later]
    return "\n\n".join(
        [
            "# Statuses",
            "Every file of a source and every address ends with one of these. All but the first "
            "carry a reason; the report counts them.",
            "## Pictures: usable",
            _meanings([Status.KEPT]),
            "## Ignored: never meant to be a labelled picture",
            _meanings(ignored),
            "## Turned down: meant to be one, but unusable",
            _meanings(rejected),
            "## Addresses: final",
            _meanings(lasting),
            "## Addresses that `--retry failed` takes up again",
            _meanings(passing),
        ]
    )


def folders_of_the_workspace() -> str:
    """Every place of the workspace, and the files of result folders."""
    own = [name for name, value in vars(Workspace).items() if isinstance(value, property)]
    found = ((name, getattr(Workspace(Path("/")), name)) for name in own)
    places = (
        (f"`{path.name}`", _cell(_first_paragraph(getattr(Workspace, name).fget)))
        for name, path in found
        if isinstance(path, Path)
    )
    parts = [
        "# Folders",
        "All that Darkroom stores is in one folder, the workspace: `$DARKROOM_HOME`, by default "
        "`./workspace`.",
        _table(("In the workspace", "What it holds"), places),
    ]
    kinds = (
        (
            kind.name,
            "<br>".join(f"`{one}`" for one in kind.where),
            kind.holds,
            kind.again,
            kind.checked,
        )
        for kind in KINDS
    )
    parts += [
        "## How it is looked after",
        "What `darkroom cache list` shows, `verify` checks and `gc` frees. "
        "[Damage](../how-to/damage.md) is mended by the next run that "
        "meets it, or by `darkroom cache verify --repair`.",
        _table(("Kind", "Where", "What it holds", "If it is lost", "Checked"), kinds),
    ]
    for folder, held in folders.HELD.items():
        rows = ((f"`{name}`", _cell(about)) for name, about in held.items())
        parts += [f"## `{folder}/`", _table(("File", "What it holds"), rows)]
    return "\n\n".join(parts)


def modules() -> str:
    """Every module with its first line, room by room."""
    rooms: dict[str, list[tuple[str, str]]] = {}
    for room in ROOMS:
        for path in sorted((PROJECT / room).rglob("*.py")):
            about = _docstring(path).partition("\n\n")[0]
            name = path.relative_to(PROJECT)
            if about and path.name != "__init__.py":
                rooms.setdefault(name.parent.as_posix(), []).append((f"`{path.name}`", about))
    parts = ["# Modules", "`darkroom.py` is the door for Python and for the command."]
    for room, rows in rooms.items():
        cells = ((name, _cell(" ".join(about.split()))) for name, about in rows)
        parts += [f"## `{room}/`", _table(("Module", "What it holds"), cells)]
    return "\n\n".join(parts)


def _fields(model: type[BaseModel]) -> str:
    rows = (
        (f"`{name}`", _cell(field.description or "")) for name, field in model.model_fields.items()
    )
    return _table(("Field", "Meaning"), rows)


def _meanings(members: Iterable[Explained]) -> str:
    return _table(("Status", "Meaning"), ((f"`{one}`", _cell(one.about)) for one in members))


def _first_paragraph(thing: object) -> str:
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(_lines(heads, rows))


def _lines(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _line(heads)
    yield _line(("---",) * len(heads))
    yield from map(_line, rows)


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def write() -> None:
    """Write every page beside this file."""
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
