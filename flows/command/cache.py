"""`darkroom cache`: what is stored, whether it is whole, and what can go."""

import sys
from pathlib import Path

from cyclopts import App

from flows.command.options import Yes
from storage import inventory
from storage.errors import ParameterError
from storage.workspace import Workspace

app = App(name="cache", help_epilogue="", help="What is stored: list it, check it, free space.")

# Younger files may belong to a run that has not got round to saying so.
SETTLED_SECONDS = 3600.0
KEPT = (
    f"unfinished work is kept for {inventory.UNFINISHED_DAYS} days after it was last written to: "
    "the same run goes on with it"
)


@app.command(name="list")
def show() -> None:
    """List what is stored: of each kind of thing how many files, how many bytes."""
    workspace = Workspace.current()
    print(f"workspace {workspace.root}")
    for kind in inventory.sizes(workspace):
        print(f"{kind.name:>12}  {kind.files:>9,} files  {kind.bytes / 2**20:>10,.1f} MiB")


@app.command
def verify() -> None:
    """Read everything, and name what does not hold what its name says."""
    workspace = Workspace.current()
    damaged = inventory.damaged(workspace)
    for path in damaged:
        print(f"damaged: {path}")
    inventory.require_none(damaged)
    print("everything is whole")


@app.command(name="gc")
def collect(*, yes: Yes = False) -> None:
    """Remove what no report, model or experiment needs, after showing it and asking."""
    workspace = Workspace.current()
    unneeded = inventory.unneeded(workspace, older_than_seconds=SETTLED_SECONDS)
    print(KEPT)
    if not unneeded:
        print("nothing to remove: every file is needed, or too young to tell")
        return
    _remove(workspace, unneeded, ask=not yes)


@app.command
def drop(experiment: str, /, *, yes: Yes = False) -> None:
    """Forget an experiment, after asking: reports, records, publications, its sticky splits."""
    from tasks.publish.page import index

    workspace = Workspace.current()
    own = inventory.of_experiment(workspace, experiment)
    if not own:
        raise ParameterError(
            f"nothing is stored of an experiment {experiment!r} in {workspace.root}"
        )
    for path in own:
        print(path)
    if _remove(workspace, own, ask=not yes):
        index.write(workspace)
        print("`darkroom cache gc` frees what only these needed, an hour after the last run")


def _remove(workspace: Workspace, paths: list[Path], *, ask: bool) -> bool:
    """Whether it was done: by kind, what goes is shown before."""
    for group, some in inventory.by_kind(workspace, paths).items():
        print(f"{group:>12}  {len(some):>9,} to remove  {inventory.total(some):>14,} bytes")
    if ask and not _confirmed(len(paths)):
        print("nothing was removed")
        return False
    inventory.remove(paths)
    print(f"removed {len(paths):,}")
    return True


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        print("not asked on a terminal: add --yes to remove")
        return False
    return input(f"remove these {count:,}? [y/N] ").strip().lower() in ("y", "yes")
