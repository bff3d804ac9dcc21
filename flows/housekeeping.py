"""`darkroom cache`: what is stored, whether it is whole, and what nothing needs any more."""

import sys

from storage import inventory
from storage.workspace import Workspace

# Younger files may belong to a run that has not got round to saying so.
SETTLED_SECONDS = 3600.0
KEPT = (
    f"unfinished work is kept for {inventory.UNFINISHED_DAYS} days after it was last written to: "
    "the same run goes on with it"
)


def show() -> None:
    """One line per kind of thing: how many files, how many bytes."""
    workspace = Workspace.current()
    print(f"workspace {workspace.root}")
    for kind in inventory.sizes(workspace):
        print(f"{kind.name:>12}  {kind.files:>9,} files  {kind.bytes / 2**20:>10,.1f} MiB")


def verify() -> None:
    """Read everything and name what does not hold what its name says; StorageDamaged if any."""
    workspace = Workspace.current()
    damaged = inventory.damaged(workspace)
    for path in damaged:
        print(f"damaged: {path}")
    inventory.require_none(damaged)
    print("everything is whole")


def collect(*, ask: bool) -> None:
    """Remove what no report, model or experiment needs, after showing it and asking."""
    workspace = Workspace.current()
    unneeded = inventory.unneeded(workspace, older_than_seconds=SETTLED_SECONDS)
    print(KEPT)
    if not unneeded:
        print("nothing to remove: every file is needed, or too young to tell")
        return
    for group, paths in inventory.by_kind(workspace, unneeded).items():
        print(f"{group:>12}  {len(paths):>9,} to remove  {inventory.total(paths):>14,} bytes")
    if ask and not _confirmed(len(unneeded)):
        print("nothing was removed")
        return
    inventory.remove(unneeded)
    print(f"removed {len(unneeded):,}")


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        print("not asked on a terminal: add --yes to remove")
        return False
    return input(f"remove these {count:,}? [y/N] ").strip().lower() in ("y", "yes")
