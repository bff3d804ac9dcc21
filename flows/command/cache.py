"""`darkroom cache`: what is stored, whether it is whole, and what can go."""

import os
import shlex
import sys
from pathlib import Path

from cyclopts import App

from flows.command.options import Remote, Repair, Replace, RunAgain, Yes
from storage.errors import ParameterError, StorageDamaged
from storage.inventory import looking, remotes
from storage.inventory.backup import restore as restored_from
from storage.inventory.backup import save as saved_to
from storage.inventory.needs import UNFINISHED_DAYS
from storage.inventory.repair import mend
from storage.workspace import Workspace

app = App(name="cache", help_epilogue="", help="What is stored: list it, check it, free space.")

# Younger files may belong to a run that has not got round to saying so.
SETTLED_SECONDS = 3600.0
KEPT = (
    f"unfinished work is kept for {UNFINISHED_DAYS} days after it was last written to: "
    "the same run goes on with it"
)


@app.command(name="list")
def show(*, remote: Remote = False) -> None:
    """List what is stored: of each kind of thing how many files, how many bytes."""
    workspace = Workspace.current()
    if remote:
        shared = remotes.of(workspace)
        print(f"remote {shared.objects.address}")
    else:
        print(f"workspace {workspace.root}")
    for kind in remotes.sizes(shared) if remote else looking.sizes(workspace):
        print(f"{kind.name:>12}  {kind.files:>9,} files  {kind.bytes / 2**20:>10,.1f} MiB")


@app.command
def verify(*, repair: Repair = False, run: RunAgain = False, remote: Remote = False) -> None:
    """Read everything, and name what is damaged, missing, or none of Darkroom's.

    Exit code 1 if something is damaged and stays so.
    """
    workspace = Workspace.current()
    if remote:
        _verify_remote(workspace, repair=repair or run)
        return
    damaged = looking.damaged(workspace, _begin)
    for path in damaged:
        print(f"{'damaged' if os.path.lexists(path) else 'missing'}: {path}")
    for path in looking.strange(workspace):
        print(f"strange: {path} (no file that Darkroom keeps; it is left alone)")
    if not damaged:
        print("everything is whole")
    elif not (repair or run):
        raise StorageDamaged(
            f"{len(damaged)} stored files or folders are damaged or missing: `darkroom cache "
            "verify --repair` removes what a run makes again, and restores from copies what none "
            "does"
        )
    else:
        done = mend(workspace, damaged)
        for path, words in done.restored.items():
            print(f"restored: {path} {words}")
        for path in done.removed:
            print(f"removed: {path}")
        _run_again(workspace, done.experiments, run=run)
        if done.left:
            raise StorageDamaged(
                "; ".join(f"{path} stays damaged: {words}" for path, words in done.left.items())
            )


def _verify_remote(workspace: Workspace, *, repair: bool) -> None:
    shared = remotes.of(workspace)
    damaged = remotes.damaged(shared, _begin)
    for name in damaged:
        print(f"damaged or missing: {name}")
    if not damaged:
        print("everything is whole")
    elif not repair:
        raise StorageDamaged(
            f"{len(damaged)} objects in the remote {shared.objects.address} are damaged or "
            "missing: `darkroom cache verify --remote --repair` removes them, and every machine "
            "gives back what it has of them with its next run"
        )
    else:
        shared.remove(damaged)
        print(f"removed: {len(damaged)} objects; the next run here gives back what it has of them")


def _run_again(workspace: Workspace, experiments: list[str], *, run: bool) -> None:
    """Say how to run these experiments again, and do so with `run`: as their last reports say."""
    from flows.command.app import app as darkroom
    from tasks.publish.page.lookup import command_of

    for name in experiments:
        command = command_of(workspace, name)
        print(f"run again: {command or name}", flush=True)
        if run and command:
            darkroom(shlex.split(command)[1:], exit_on_error=False, result_action="return_value")


@app.command
def backup(file: Path, /) -> None:
    """Write what no run can make again to a zip: sticky splits, publications, the ledger."""
    saved = saved_to(Workspace.current(), file)
    if not saved:
        file.unlink()
        raise ParameterError(f"{Workspace.current().root} has nothing that runs cannot make again")
    print(f"{len(saved):,} files in {file}, {file.stat().st_size:,} bytes")


@app.command
def restore(file: Path, /, *, replace: Replace = False) -> None:
    """Put back what `darkroom cache backup` saved; what is there and differs stays."""
    done = restored_from(Workspace.current().made(), file, replace=replace)
    for path in done.written:
        print(f"restored: {path}")
    for path in done.different:
        print(f"kept, though the backup's differs: {path}")
    print(f"{len(done.written):,} restored, {len(done.same):,} were the same")
    if done.different:
        raise ParameterError(
            f"{len(done.different):,} files differ from the backup's and were kept: --replace "
            "takes the backup's"
        )


def _begin(kind: str) -> None:
    """On a terminal, what is being read; millions of pictures take a while."""
    if sys.stderr.isatty():
        print(f"reading {kind}", file=sys.stderr)


@app.command(name="gc")
def collect(*, yes: Yes = False, remote: Remote = False) -> None:
    """Remove what no report, model or experiment needs, after showing it and asking."""
    workspace = Workspace.current()
    if remote:
        _collect_remote(workspace, ask=not yes)
        return
    unneeded = looking.unneeded(workspace, older_than_seconds=SETTLED_SECONDS)
    print(KEPT)
    if not unneeded:
        print("nothing to remove: every file is needed, or too young to tell")
        return
    _remove(workspace, unneeded, ask=not yes)


def _collect_remote(workspace: Workspace, *, ask: bool) -> None:
    shared = remotes.of(workspace)
    unneeded = remotes.unneeded(shared, older_than_seconds=SETTLED_SECONDS)
    if not unneeded:
        print("nothing to remove: every object is needed, or too young to tell")
        return
    print(f"{len(unneeded):,} objects to remove, {sum(one.bytes for one in unneeded):,} bytes")
    if ask and not _confirmed(len(unneeded)):
        print("nothing was removed")
        return
    shared.remove([one.name for one in unneeded])
    print(f"removed {len(unneeded):,}")


@app.command
def drop(experiment: str, /, *, yes: Yes = False) -> None:
    """Forget an experiment, after asking: reports, records, publications, its sticky splits."""
    from tasks.publish.page import index

    workspace = Workspace.current()
    own = looking.of_experiment(workspace, experiment)
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
    for group, some in looking.by_kind(workspace, paths).items():
        print(f"{group:>12}  {len(some):>9,} to remove  {looking.total(some):>14,} bytes")
    if ask and not _confirmed(len(paths)):
        print("nothing was removed")
        return False
    looking.remove(paths)
    print(f"removed {len(paths):,}")
    return True


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        print("not asked on a terminal: add --yes to remove")
        return False
    return input(f"remove these {count:,}? [y/N] ").strip().lower() in ("y", "yes")
