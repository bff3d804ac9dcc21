"""How a flow calls a step: run it and keep a record, or foretell what it would do."""

import sys
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from prefect.tasks import Task
from pydantic import BaseModel

from storage import records
from storage.references import Reference
from storage.workspace import Workspace
from tasks.publish.inputs import StepTaken
from tasks.running import counters
from tasks.running.caching import CODE, cached_reference, in_workspace, key_of, key_parts
from tasks.running.interruption import heeded

FIRST_RUN = "first run"
UNCHANGED = "nothing changed"
ASKED = "asked for with rerun"
NOT_WHOLE = "its result is no longer there, or no longer whole"
UNLESS = "runs, unless exactly this was computed before"
# What a step is given, in words: who reads `images changed` thinks of a parameter.
GIVEN = {
    "fingerprint": "the source",
    "collection": "the source's pictures",
    "images": "the usable pictures",
    "previous": "the split before this one",
    "split": "the split",
    "features": "the features",
    "model": "the model",
    "evaluation": "the evaluation",
}


class Outcome(BaseModel):
    """What became of one step: `executed` or `cached`; foretold: `run`, `cached` or `depends`."""

    name: str
    state: str
    seconds: float = 0.0
    why: str


class Reached(Exception):
    """Ends a run early."""


class Pending:
    """Stands for the result of a step that would run; carries the step's name."""

    def __init__(self, step: str) -> None:
        self.step = step


class Run:
    """Runs steps, one after the other, and keeps what became of them."""

    def __init__(self, experiment: str, rerun: list[str], until: str | None) -> None:
        self.experiment = experiment
        self.workspace = Workspace.current()
        self.outcomes: list[Outcome] = []
        self.references: dict[str, Any] = {}
        self._rerun = rerun
        self._until = until
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.started = time.monotonic()
        self.tally = self._stack.enter_context(counters.counting())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        self._stack.close()
        self.seconds = time.monotonic() - self.started
        return kind is Reached

    def __call__(self, step: Task[..., Any], /, **inputs: Any) -> Any:
        """The step's reference, cached or freshly made; Reached after the last one wanted."""
        parts = key_parts(step, inputs)
        key = key_of(step.name, parts)
        refresh = step.name in self._rerun
        previous = records.latest(self.workspace, self.experiment, step.name)
        hit = cached_reference(self.workspace, key) is not None
        why = ASKED if refresh else reason(parts, key, previous, hit=hit)
        started = time.monotonic()
        with heeded():
            state = in_workspace(step, self.workspace, refresh=refresh)(**inputs, return_state=True)
            reference: Reference = state.result(_sync=True)
        cached = state.name == "Cached"
        outcome = Outcome(
            name=step.name,
            state="cached" if cached else "executed",
            seconds=round(time.monotonic() - started, 2),
            why=UNCHANGED if cached else why,
        )
        self._keep(outcome, key, parts, reference, previous)
        if step.name == self._until:
            raise Reached
        return reference

    def taken(self) -> list[StepTaken]:
        """The steps so far, as reports show them."""
        return [StepTaken(one.name, one.state, one.seconds, one.why) for one in self.outcomes]

    def _keep(
        self,
        outcome: Outcome,
        key: str,
        parts: dict[str, str],
        reference: Reference,
        previous: records.Record | None,
    ) -> None:
        self.outcomes.append(outcome)
        self.references[outcome.name] = reference
        print(
            f"{outcome.name:>9}  {outcome.state:<8} {outcome.seconds:7.1f} s  {outcome.why}",
            file=sys.stderr,
        )
        if outcome.state == "executed" or previous is None or previous.key != key:
            record = records.Record(
                experiment=self.experiment,
                step=outcome.name,
                key=key,
                parts=parts,
                state=outcome.state,
                why=outcome.why,
                seconds=outcome.seconds,
                when=records.now(),
                result=reference.model_dump(mode="json"),
            )
            records.add(self.workspace, record)


class Forecast:
    """Says of each step, without running anything, whether it would run and why."""

    def __init__(self, experiment: str, rerun: list[str]) -> None:
        self.experiment = experiment
        self.workspace = Workspace.current()
        self.outcomes: list[Outcome] = []
        self._rerun = rerun

    def __call__(self, step: Task[..., Any], /, **inputs: Any) -> Any:
        """The cached reference, or a Pending in its place."""
        if step.name in self._rerun:
            return self._add(step.name, "run", ASKED)
        previous = records.latest(self.workspace, self.experiment, step.name)
        waiting = sorted({value.step for value in inputs.values() if isinstance(value, Pending)})
        if waiting:
            return self._add(step.name, *self._undecided(step, inputs, waiting, previous))
        parts = key_parts(step, inputs)
        key = key_of(step.name, parts)
        reference = cached_reference(self.workspace, key)
        if reference is None:
            return self._add(step.name, "run", reason(parts, key, previous, hit=False))
        self._add(step.name, "cached", UNCHANGED)
        return reference

    def taken(self) -> list[StepTaken]:
        """Nothing: no step has run."""
        return []

    def _undecided(
        self,
        step: Task[..., Any],
        inputs: dict[str, Any],
        waiting: list[str],
        previous: records.Record | None,
    ) -> tuple[str, str]:
        """(state, why) of a step while results that it is given are not known."""
        parts = _supposed(step, inputs, previous.parts if previous else {})
        key = key_of(step.name, parts)
        if cached_reference(self.workspace, key) is not None:
            return "depends", f"runs if {' or '.join(waiting)} gives another result than before"
        why = reason(parts, key, previous, hit=False)
        # Earlier parameters or another experiment may have led to what this step will be given;
        # where it has never been done, nothing can have.
        if any(self.workspace.results.glob(f"{step.name}-*")):
            return "depends", f"{UNLESS}: {why}"
        return "run", why

    def _add(self, name: str, state: str, why: str) -> Pending:
        self.outcomes.append(Outcome(name=name, state=state, why=why))
        return Pending(name)


def _supposed(
    step: Task[..., Any], inputs: dict[str, Any], before: dict[str, str]
) -> dict[str, str]:
    """The step's key parts if what is not known yet comes out as it was `before`."""
    # The split that a sticky one continues is looked up by its pictures: None while they are
    # pending.
    unknown = {
        name
        for name, value in inputs.items()
        if isinstance(value, Pending) or (value is None and name in GIVEN)
    }
    known = key_parts(step, inputs | dict.fromkeys(unknown))
    parts = {name: text for name, text in known.items() if name not in unknown}
    return parts | {name: text for name, text in before.items() if name in unknown}


def reason(parts: dict[str, str], key: str, previous: records.Record | None, *, hit: bool) -> str:
    """Why a step runs, against the record of its last run in this experiment."""
    if hit:
        return UNCHANGED
    if previous is None:
        return FIRST_RUN
    if previous.key == key:
        return NOT_WHOLE
    changed = [
        name for name in parts | previous.parts if parts.get(name) != previous.parts.get(name)
    ]
    return "; ".join(_change(name, previous.parts.get(name), parts.get(name)) for name in changed)


def _change(name: str, before: str | None, after: str | None) -> str:
    if name == CODE:
        return "its code changed"
    if any(len(text or "") > 40 for text in (before, after)):
        return f"{GIVEN.get(name, name)} changed"
    return f"{name}: {before or 'not set'} -> {after or 'not set'}"
