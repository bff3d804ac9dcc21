"""How a flow calls a step: run it and keep a record, or foretell what it would do."""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from flows.reasons import ASKED, GIVEN, UNCHANGED, UNLESS, reason
from storage import elsewhere, records
from storage.errors import StorageDamaged
from storage.inventory import looking
from storage.inventory.repair import mend
from storage.references import Reference
from storage.workspace import Workspace
from tasks.running import counters
from tasks.running.durations import SHORTEST_SECONDS, at_most, duration, pictures_of
from tasks.running.engine import mapping
from tasks.running.interruption import heeded
from tasks.running.memory import give_back
from tasks.running.outcomes import StepOutcome
from tasks.running.results import cached_reference
from tasks.running.steps import Step, key_of, key_parts

Outcome = TypeVar("Outcome")


class Reached(Exception):
    """Ends a run early."""


class Pending:
    """Stands for the result of a step that would run; carries the step's name."""

    def __init__(self, step: str) -> None:
        self.step = step


class Call(NamedTuple):
    """A step with what it is given: its key, what that is made of, and the record before."""

    step: Step
    inputs: dict[str, Any]
    parts: dict[str, str]
    key: str
    previous: records.Record | None


class Results:
    """What the steps of one run of an experiment gave, and what became of each."""

    def __init__(self, experiment: str) -> None:
        self.experiment = experiment
        self.workspace = Workspace.current()
        self.outcomes: list[StepOutcome] = []
        self.references: dict[str, Any] = {}
        self.counts: dict[str, int] = {}
        self.started = time.monotonic()
        self.seconds = 0.0

    def call(self, step: Step, inputs: dict[str, Any]) -> Call:
        """The call of a step, all of whose inputs are known."""
        parts = key_parts(step, inputs)
        previous = records.latest(self.workspace, self.experiment, step.name)
        return Call(step, inputs, parts, key_of(step.name, parts), previous)

    def keep(self, outcome: StepOutcome, call: Call, reference: Reference) -> None:
        """Tell what became of a step, and write it down if it says something new."""
        self.outcomes.append(outcome)
        self.references[outcome.name] = reference
        print(
            f"{outcome.name:>9}  {outcome.state:<8} {outcome.seconds:7.1f} s  {outcome.why}",
            file=sys.stderr,
        )
        previous = call.previous
        if outcome.state == "executed" or previous is None or previous.key != call.key:
            record = records.Record(
                experiment=self.experiment,
                step=outcome.name,
                key=call.key,
                parts=call.parts,
                state=outcome.state,
                why=outcome.why,
                seconds=outcome.seconds,
                pictures=pictures_of(call.inputs.values()),
                when=records.now(),
                result=reference.model_dump(mode="json"),
            )
            elsewhere.push_file(self.workspace, records.add(self.workspace, record))
        anew = outcome.state == "executed"
        elsewhere.push(self.workspace, call.key, reference, anew=anew)


class Run(Results):
    """Runs steps as Prefect's tasks, one after the other, and keeps what became of them."""

    def __init__(
        self, experiment: str, rerun: list[str], until: str | None, plan: str = ""
    ) -> None:
        super().__init__(experiment)
        self._rerun = rerun
        self._until = until
        self._plan = plan
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.started = time.monotonic()
        self.workspace.made().require_own_name(self.experiment)
        elsewhere.begin(self.workspace)
        self.counts = self._stack.enter_context(counters.counting())
        if self._plan:
            print(f"{self.experiment}: {self._plan}", file=sys.stderr)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        self._stack.close()
        mapping.end()
        elsewhere.tell_if_away(self.workspace)
        self.seconds = time.monotonic() - self.started
        return kind is Reached

    def __call__(self, step: Step, /, **inputs: Any) -> Any:
        """The step's reference, cached or freshly made; Reached after the last one wanted."""
        from tasks.running.prefect_tasks import task_of

        call = self.call(step, inputs)
        refresh = step.name in self._rerun
        why = ASKED if refresh else reason(call.parts, call.key, call.previous)
        kept = self.workspace.results / call.key
        if refresh or not (kept.exists() or elsewhere.pull(self.workspace, call.key)):
            self._foretell(call)
        started = time.monotonic()
        with heeded():
            task = task_of(step, self.workspace, refresh=refresh)
            state = task(**inputs, return_state=True)
            reference: Reference = state.result(_sync=True)
        give_back()
        cached = state.name == "Cached"
        outcome = StepOutcome(
            name=step.name,
            state="cached" if cached else "executed",
            seconds=round(time.monotonic() - started, 2),
            why=UNCHANGED if cached else why,
        )
        self.keep(outcome, call, reference)
        if step.name == self._until:
            raise Reached
        return reference

    def _foretell(self, call: Call) -> None:
        """Tell of a step about to run how long it may take, where earlier ones tell."""
        pictures = pictures_of(call.inputs.values())
        found = at_most(self.workspace, call.step.name, call.parts, pictures)
        if found is not None and found >= SHORTEST_SECONDS:
            length = duration(found)
            print(
                f"{call.step.name:>9}  begins: {length} at most, if none of {pictures:,} pictures "
                "is known yet (by the pace of earlier runs)",
                file=sys.stderr,
            )


class Cached(Results):
    """Takes every step from what is stored, without Prefect; NotCached where one would run."""

    def __init__(self, experiment: str, until: str | None) -> None:
        super().__init__(experiment)
        self._until = until
        self._calls: list[tuple[StepOutcome, Call, Reference]] = []

    def __call__(self, step: Step, /, **inputs: Any) -> Any:
        """The step's stored reference; Reached after the last one wanted."""
        started = time.monotonic()
        call = self.call(step, inputs)
        reference = cached_reference(self.workspace, call.key)
        if reference is None:
            raise NotCached(step.name)
        seconds = round(time.monotonic() - started, 2)
        outcome = StepOutcome(name=step.name, state="cached", seconds=seconds, why=UNCHANGED)
        self._calls.append((outcome, call, reference))
        if step.name == self._until:
            raise Reached
        return reference

    def settle(self) -> None:
        """Tell and write down what was found: only now is it certain that no step has to run."""
        for outcome, call, reference in self._calls:
            self.keep(outcome, call, reference)
        self.seconds = time.monotonic() - self.started


class NotCached(Exception):
    """A step has to run."""


class Forecast(Results):
    """Says of each step, without running anything, whether it would run and why."""

    def __init__(self, experiment: str, rerun: list[str]) -> None:
        super().__init__(experiment)
        self._rerun = rerun

    def __call__(self, step: Step, /, **inputs: Any) -> Any:
        """The cached reference, or a Pending in its place."""
        if step.name in self._rerun:
            return self._foretell(step.name, "run", ASKED)
        waiting = sorted({value.step for value in inputs.values() if isinstance(value, Pending)})
        if waiting:
            return self._foretell(step.name, *self._undecided(step, inputs, waiting))
        call = self.call(step, inputs)
        reference = cached_reference(self.workspace, call.key)
        if reference is None:
            return self._foretell(step.name, "run", reason(call.parts, call.key, call.previous))
        self._foretell(step.name, "cached", UNCHANGED)
        return reference

    def _undecided(self, step: Step, inputs: dict[str, Any], waiting: list[str]) -> tuple[str, str]:
        """(state, why) of a step while results that it is given are not known."""
        previous = records.latest(self.workspace, self.experiment, step.name)
        parts = _supposed(step, inputs, previous.parts if previous else {})
        key = key_of(step.name, parts)
        if cached_reference(self.workspace, key) is not None:
            return "depends", f"runs if {' or '.join(waiting)} gives another result than before"
        why = reason(parts, key, previous)
        # Earlier parameters or another experiment may have led to what this step will be given;
        # where it has never been done, nothing can have.
        if any(self.workspace.results.glob(f"{step.name}-*")):
            return "depends", f"{UNLESS}: {why}"
        return "run", why

    def _foretell(self, name: str, state: str, why: str) -> Pending:
        self.outcomes.append(StepOutcome(name=name, state=state, why=why))
        return Pending(name)


def _supposed(step: Step, inputs: dict[str, Any], before: dict[str, str]) -> dict[str, str]:
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


def whole(run: Callable[[], Outcome]) -> Outcome:
    """What `run` gives. Where it meets damage the workspace is mended, and it begins once more.

    What is stored and whole is not done again then.
    """
    try:
        return run()
    except StorageDamaged as error:
        workspace = Workspace.current()
        print(f"{error}\nlooking for all damage in {workspace.root}", file=sys.stderr)
        mended = mend(workspace, looking.damaged(workspace))
        for path in mended.removed:
            print(f"damaged, and made again: {path}", file=sys.stderr)
        for path, words in mended.restored.items():
            print(f"damaged, and restored: {path} {words}", file=sys.stderr)
        if not (mended.removed or mended.restored):
            raise
    return run()
