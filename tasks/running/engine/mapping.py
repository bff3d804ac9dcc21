"""Has a job done on names: in this process, or by the workers that an engine has."""

import sys

from storage.shards import ShardStore
from tasks.running.engine.jobs import Job, units
from tasks.running.engine.parameters import Engine
from tasks.running.progress import Advance


def mapped(engine: Engine, job: Job, names: list[str], advance: Advance) -> int:
    """Have the job done on all names by this engine; how many were done.

    What is one worker's work is done in this process. With workers of other machines all of it is
    here afterwards.
    """
    if engine.kind == "here" or len(names) <= job.unit:
        return job.work(names, advance)
    from tasks.running.engine import on_ray

    done = on_ray.mapped(engine, job, units(names, job.unit), advance)
    for folder in job.folders:
        ShardStore(folder).knowing(names)
    return done


def end() -> None:
    """Let go of workers, if this process has any: a run has ended."""
    on_ray = sys.modules.get("tasks.running.engine.on_ray")
    if on_ray is not None:
        on_ray.disconnect()
