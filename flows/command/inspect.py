"""`darkroom inspect`: what is in a folder or an archive, before anything runs."""

import json
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import yaml
from cyclopts import App, Parameter

from flows.command.options import AsJson, Settings
from flows.command.own_pictures import BASE, experiment_for, name_for, settings_for
from flows.parameters import Experiment
from storage.errors import ParameterError
from storage.names import one_line
from tasks.acquire.inspecting import Inspection, inspect
from tasks.acquire.parameters import Archive, Folders
from tasks.running.progress import tracked

app = App(name="inspect", help_epilogue="")
MOST_CLASSES = 20
MOST_ODD = 12
SPLITS = ("train", "validation", "test", "")


@app.default
def inspect_source(
    source: Annotated[str, Parameter(help="A folder, a zip or tar, or a table of labels.")],
    /,
    *,
    settings: Settings = (),
    write: Annotated[
        Path | None,
        Parameter(help="Write the experiment that takes it to this file, for `run --file`."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is in there and how it is understood; nothing runs, no picture is opened."""
    experiment = experiment_for(source, name_for(source), list(settings))
    found = inspected(experiment)
    print(json.dumps(found.model_dump(mode="json")) if as_json else said(found))
    if not as_json and not found.problem:
        run = _words(BASE, (*settings_for(source), *settings))
        print(
            f"\ntake it with\n  darkroom develop {_words(source, settings)}\n  darkroom run {run}"
        )
    if write is not None:
        _write(write, experiment)


def inspected(experiment: Experiment) -> Inspection:
    """What the experiment's source holds."""
    if not isinstance(experiment.source, Folders | Archive):
        raise ParameterError(
            f"expected a folder or an archive on this disk, found a source of kind "
            f"{experiment.source.kind}: download it first"
        )
    with tracked("inspect", None) as advance:
        return inspect(experiment.source, experiment.split.list_files, advance)


def _words(first: str, settings: Iterable[str]) -> str:
    """Words for a shell: the first, and a `--set` for each setting."""
    return shlex.join([first, *(part for setting in settings for part in ("--set", setting))])


def said(found: Inspection) -> str:
    """An inspection for people."""
    lines = [f"{one_line(found.source)}: {found.files:,} files, {found.pictures:,} pictures"]
    if found.layout:
        lines.append(f"understood as {one_line(found.layout)}")
    lines += ["", *_classes(found)]
    lines += [f"note      {one_line(remark)}" for remark in found.remarks]
    if found.tables:
        lines += ["", "tables"]
        lines += [
            f"  {one_line(table.name)}: {one_line(', '.join(table.columns[:8]))}"
            for table in found.tables
        ]
    if found.odd:
        lines += ["", "not used"]
        lines += [
            f"  {odd.files:>8,} {odd.status}, {one_line(odd.reason)}: "
            f"{one_line(', '.join(odd.examples))}"
            for odd in found.odd[:MOST_ODD]
        ]
    if found.problem:
        lines += ["", f"cannot be taken as it is: {one_line(found.problem)}"]
    return "\n".join(lines)


def _classes(found: Inspection) -> list[str]:
    given = [name for name in SPLITS if any(name in counts for counts in found.classes.values())]
    heads = [name or "pictures" for name in given]
    lines = [" ".join(f"{head:>10}" for head in heads) + "  class"] if heads else []
    for label, counts in list(found.classes.items())[:MOST_CLASSES]:
        numbers = " ".join(f"{counts.get(name, 0):>10,}" for name in given)
        lines.append(f"{numbers}  {one_line(label)}")
    if len(found.classes) > MOST_CLASSES:
        lines.append(f"{'':>10}  and {len(found.classes) - MOST_CLASSES:,} classes more")
    return lines


def _plain(value: Any) -> Any:
    """What YAML has words for; paths are absolute, wherever the file is used."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value.absolute()) if isinstance(value, Path) else value


def _write(path: Path, experiment: Experiment) -> None:
    if path.exists():
        raise ParameterError(f"{path} is there already: name a new file, or remove it first")
    parameters = _plain(experiment.model_dump(exclude_unset=True))
    content = {"deployments": [{"name": experiment.experiment, "parameters": parameters}]}
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    print(f"\nwrote {path}: darkroom run {shlex.quote(experiment.experiment)} --file {path}")
