"""All pairs of copies among some images; what was compared before is not compared again."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from storage import elsewhere
from storage.shards import NAME, ShardStore
from storage.workspace import Workspace
from tasks.clean.copies.agreement import Agreement
from tasks.clean.copies.candidates import candidates
from tasks.clean.copies.comparison import compared
from tasks.clean.copies.looking import look_at, missing
from tasks.clean.copies.looks import BOX, Looks, store_of
from tasks.clean.parameters import Looking
from tasks.running import code_fingerprint, counters
from tasks.running.engine.parameters import HERE, Engine
from tasks.running.progress import Progress, tracked

OTHER, PLACE, VALUES = "other", "place", "values"
AGREEMENT = list(Agreement._fields)
MATRIX = [f"m{row}{column}" for row in range(3) for column in range(3)]
# What bars and frames leave of each picture, as shares of its sides.
EDGES = ("top", "bottom", "left", "right")
CONTENT = [f"{which}_{edge}" for which in ("first", "second") for edge in EDGES]
COLUMNS = [NAME, OTHER, *AGREEMENT, *CONTENT, *MATRIX]
# Earlier comparisons that are kept, and looked at for the one that covers most.
REMEMBERED = 20


class Found(NamedTuple):
    """Pairs of copies, and a remark on what computed the candidates, or "".

    `pairs` has an image, the `other`, how they agree (see agreement.Agreement) and the map from the
    first's unit square to the second's, both without bars and frames.
    """

    pairs: pd.DataFrame
    remark: str = ""


def find(
    workspace: Workspace,
    names: list[str],
    looking: Looking,
    progress: Progress = tracked,
    engine: Engine = HERE,
) -> Found:
    """Copies among these images, each named once."""
    remark, names = "", sorted(names)
    new = missing(workspace, names)
    if new:
        with progress("clean: looking", len(new)) as advance:
            remark = look_at(workspace, new, looking, advance, engine)
    memory = ShardStore(
        workspace.facts / f"copies-{code_fingerprint.fingerprint('tasks.clean.copies')}"
    )
    elsewhere.catch_up(memory.folder, names)
    pairs, fresh = _remembered(memory, names)
    if fresh.any():
        seen = Looks(store_of(workspace), names)
        near = candidates(seen, fresh)
        boxes = seen.column(BOX)
        with progress("clean: comparing", len(near.pairs)) as advance:
            verdicts = compared(seen, near, advance)
            rows = [
                [
                    names[first],
                    names[second],
                    *map(float, one.agreement),
                    *boxes[first],
                    *boxes[second],
                    *one.matrix.ravel(),
                ]
                for (first, second), one in zip(near.pairs, verdicts, strict=True)
                if one.agreement.copies
            ]
        counters.count("compared", len(near.pairs))
        pairs = pd.concat([pairs, pd.DataFrame(rows, columns=COLUMNS)], ignore_index=True)
        _remember(memory, names, pairs)
    numbers = dict.fromkeys(COLUMNS[2:], float)
    return Found(pairs.astype(numbers).sort_values([NAME, OTHER], ignore_index=True), remark)


def _remembered(memory: ShardStore, names: list[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Pairs among the images that were compared with each other before, and which were not."""
    wanted = pd.Index(names)
    best, covered = None, np.zeros(len(names), bool)
    for path in _newest_first(memory)[:REMEMBERED]:
        batch = memory.open(path)
        if batch is not None:
            here = wanted.isin(batch.column(NAME).to_pylist())
            if here.sum() > covered.sum():
                best, covered = batch, here
    if best is None:
        return pd.DataFrame(columns=COLUMNS), ~covered
    table = best.to_pandas()
    table = table[table[PLACE].map(len) > 0]
    # An image's row lists the others by their rows.
    flat = table.explode([PLACE, VALUES], ignore_index=True)
    values = pd.DataFrame(
        np.stack(flat[VALUES]) if len(flat) else np.empty((0, len(COLUMNS) - 2)),
        columns=COLUMNS[2:],
    )
    others = best.column(NAME).take(pa.array(flat[PLACE], pa.int32())).to_pylist()
    pairs = pd.concat([flat[[NAME]].assign(**{OTHER: others}), values], axis=1)[COLUMNS]
    return pairs[pairs[NAME].isin(wanted) & pairs[OTHER].isin(wanted)], ~covered


def _newest_first(memory: ShardStore) -> list[Path]:
    """Earlier comparisons; another process may forget one meanwhile."""
    found = []
    for path in memory.paths():
        with suppress(FileNotFoundError):
            found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found, reverse=True)]


def _remember(memory: ShardStore, names: list[str], pairs: pd.DataFrame) -> None:
    places = {name: place for place, name in enumerate(names)}
    lists: dict[str, tuple[list[int], list[list[float]]]] = {}
    for row in pairs.itertuples(index=False):
        where, values = lists.setdefault(row[0], ([], []))
        where.append(places[row[1]])
        values.append(list(row[2:]))
    nothing: tuple[list[int], list[list[float]]] = ([], [])
    memory.add(
        pa.table(
            {
                NAME: names,
                PLACE: pa.array([lists.get(n, nothing)[0] for n in names], pa.list_(pa.int32())),
                VALUES: pa.array(
                    [lists.get(n, nothing)[1] for n in names], pa.list_(pa.list_(pa.float64()))
                ),
            }
        )
    )
    for path in _newest_first(memory)[REMEMBERED:]:
        path.unlink(missing_ok=True)
