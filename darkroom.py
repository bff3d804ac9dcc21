"""Darkroom for Python and notebooks: run an experiment, and look at what it gave.

import darkroom

result = darkroom.run("my-pictures", {"source.folder": "holiday"})
result.metrics, result.predictions, result.report
images, labels = result.features("test")
"""

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

    from flows.result import Result

HOME = Path(__file__).resolve().parent
PACKAGES = ("storage", "tasks", "flows", "deployments")


def run(
    name: str,
    settings: Mapping[str, Any] | None = None,
    *,
    rerun: Sequence[str] = (),
    until: str | None = None,
    retry: Literal["failed"] | None = None,
    file: str | Path | None = None,
) -> "Result":
    """Run the experiment `name`, as `darkroom run` does, and return what it gave.

    `settings` change single parameters: {"training.epochs": 5}. `rerun` names steps that run even
    if nothing changed, `until` the last step to run; `retry` takes up failed downloads. `file` is a
    list of experiments of your own. A closed gate raises nothing: `Result.gate` says why.
    """
    from flows import experiments, result, runs

    path = Path(file) if file is not None else experiments.DEPLOYMENTS
    experiment = experiments.load(name, _words(settings), path)
    with experiments.read_from(path, name):
        finished = runs.run(experiment, rerun=tuple(rerun), until=until, retry=retry)
    return result.Result(finished)


def explain(
    name: str,
    settings: Mapping[str, Any] | None = None,
    *,
    rerun: Sequence[str] = (),
    file: str | Path | None = None,
) -> "pd.DataFrame":
    """What each step of a run would do, and why: a table of name, state and why; runs nothing."""
    import pandas as pd

    from flows import experiments, steps

    path = Path(file) if file is not None else experiments.DEPLOYMENTS
    outcomes = steps.foretell(experiments.load(name, _words(settings), path), list(rerun))
    rows = [outcome.model_dump(include={"name", "state", "why"}) for outcome in outcomes]
    return pd.DataFrame(rows)


def main() -> int:
    """The `darkroom` command."""
    from flows.command.app import main as command

    return command()


def _words(settings: Mapping[str, Any] | None) -> list[str]:
    """Settings as `--set` takes them."""
    from flows.settings import as_setting

    return [as_setting(name, value) for name, value in (settings or {}).items()]


def _load_own_packages() -> None:
    """Import Darkroom's packages from beside this file, whatever else is called so.

    ImportError where a user's own module of that name is loaded already; a warning where one lies
    on the path, because `import tasks` now means Darkroom's.
    """
    for name in PACKAGES:
        loaded = sys.modules.get(name)
        if loaded is not None and not _is_ours(name, Path(_place(loaded))):
            raise ImportError(
                f"expected Darkroom's own package {name!r}, found {_place(loaded)} loaded under "
                "this name: import darkroom before it, or rename it"
            )
    for hidden in _hidden():
        warnings.warn(
            f"{hidden} is hidden by Darkroom's package of the same name: rename it to import it",
            stacklevel=3,
        )
    sys.path.insert(0, str(HOME))
    try:
        for name in PACKAGES:
            importlib.import_module(name)
    finally:
        sys.path.remove(str(HOME))


def _hidden() -> list[Path]:
    """Modules and packages on the path, outside of Darkroom, that have one of its names."""
    folders = [Path(entry or ".").resolve() for entry in sys.path]
    return [
        path
        for folder in dict.fromkeys(folders)
        if folder != HOME
        for name in PACKAGES
        for path in (folder / f"{name}.py", folder / name / "__init__.py")
        if path.is_file() and not _is_ours(name, path)
    ]


def _is_ours(name: str, path: Path) -> bool:
    return path.resolve().parent == HOME / name


def _place(module: Any) -> str:
    return str(getattr(module, "__file__", None) or next(iter(module.__path__), "?"))


_load_own_packages()
