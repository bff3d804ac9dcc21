"""Which model of each experiment is the published one: `models/published/<experiment>`.

The link leads to the model's folder and moves in one rename. Beside it `<experiment>.md` is the
model's card and `<experiment>.history.json` the log of what was published and taken back. The log
is written first and decides; a link that a killed process left behind is moved when it is next
asked for.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from storage import atomic, generations, locks
from storage.errors import NothingToTakeBack, StorageDamaged
from storage.names import as_file_name
from storage.workspace import Workspace

FOLDER = "published"
HISTORY = ".history.json"
CARD = ".md"


class Publication(BaseModel):
    """A published model; `model`, `evaluation` and `report` are places in the workspace."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment: str
    when: str
    model: str
    evaluation: str
    report: str
    accuracy: float
    judgement: str
    card: str = ""


class Event(BaseModel):
    """One line of the log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Literal["published", "taken back"]
    when: str
    publication: Publication


LOG = TypeAdapter(list[Event])


def link(workspace: Workspace, experiment: str) -> Path:
    """Where the published model of an experiment is found, by whoever uses it."""
    return workspace.models / FOLDER / as_file_name(experiment)


def history(workspace: Workspace, experiment: str) -> list[Event]:
    """The experiment's log, oldest first; empty when nothing was ever published."""
    return _log(workspace, _beside(link(workspace, experiment), HISTORY))


def _log(workspace: Workspace, path: Path) -> list[Event]:
    found = generations.read(workspace, path)
    try:
        return [] if found is None else LOG.validate_json(found)
    except ValueError as error:
        raise StorageDamaged(
            f"expected the log of publications at {path}, found something else ({error}): restore "
            "it, or delete it and publish again"
        ) from error


def standing_in(log: bytes) -> Publication | None:
    """What is published according to a log; ValueError if it is none."""
    standing = _standing(LOG.validate_json(log))
    return standing[-1] if standing else None


def merged(ours: bytes, theirs: bytes) -> bytes:
    """Two logs of one experiment as one, each event once, in the order in which they happened."""
    events = LOG.validate_json(theirs)
    events += [event for event in LOG.validate_json(ours) if event not in events]
    return atomic.as_json(LOG.dump_python(sorted(events, key=_when), mode="json"))


def _when(event: Event) -> str:
    return event.when


def named(log: Path) -> str:
    """The experiment that a log is of, as a file name."""
    return log.name.removesuffix(HISTORY)


def looked_up(workspace: Workspace, experiment: str) -> Publication | None:
    """The published model, None if there is none; nothing is written, and nobody waited for."""
    standing = _standing(history(workspace, experiment))
    return standing[-1] if standing else None


def current(workspace: Workspace, experiment: str) -> Publication | None:
    """The published model, None if there is none; the link leads to it afterwards."""
    with _locked(workspace, experiment):
        standing = _standing(history(workspace, experiment))
        _settle(workspace, experiment, standing)
        return standing[-1] if standing else None


def publish(workspace: Workspace, publication: Publication) -> None:
    """Make this the published model of its experiment; the same model twice is one publication."""
    experiment = publication.experiment
    with _locked(workspace, experiment):
        events = history(workspace, experiment)
        standing = _standing(events)
        if not standing or standing[-1].model != publication.model:
            event = Event(action="published", when=publication.when, publication=publication)
            events.append(event)
            _write(workspace, experiment, events)
        _settle(workspace, experiment, _standing(events))


def was_taken_back(workspace: Workspace, experiment: str, model: str) -> bool:
    """Whether the last that happened to this model was that it was taken back."""
    actions = [
        one.action for one in history(workspace, experiment) if one.publication.model == model
    ]
    return bool(actions) and actions[-1] == "taken back"


def take_back(workspace: Workspace, experiment: str, when: str) -> Publication:
    """Go back to what was published before, and say what that is; may be done again.

    NothingToTakeBack if the current one is the first, or its predecessor's folder is gone.
    """
    with _locked(workspace, experiment):
        events = history(workspace, experiment)
        standing = _standing(events)
        if len(standing) < 2 or not (workspace.root / standing[-2].model).is_dir():
            raise NothingToTakeBack(
                f"expected a model of {experiment!r} that was published before the current one, "
                f"found {_found(standing)}: run the experiment again, or publish another model"
            )
        events.append(Event(action="taken back", when=when, publication=standing[-1]))
        _write(workspace, experiment, events)
        _settle(workspace, experiment, standing[:-1])
        return standing[-2]


def needed(workspace: Workspace) -> set[Path]:
    """What publications stand on, those to go back to included: nothing may remove it."""
    places: set[Path] = set()
    for path in (workspace.models / FOLDER).glob(f"*{HISTORY}"):
        for one in _standing(_log(workspace, path)):
            places.update(
                workspace.root / where for where in (one.model, one.evaluation, one.report)
            )
    return places


def _standing(events: list[Event]) -> list[Publication]:
    """What was published and not taken back, oldest first."""
    stack: list[Publication] = []
    for event in events:
        if event.action == "published":
            stack.append(event.publication)
        elif stack:
            stack.pop()
    return stack


def _settle(workspace: Workspace, experiment: str, standing: list[Publication]) -> None:
    place = link(workspace, experiment)
    if not standing:
        return
    model = workspace.root / standing[-1].model
    if atomic.led_to(place) != model.resolve():
        atomic.point(place, model)
    card = _beside(place, CARD)
    if standing[-1].card and (not card.exists() or card.read_text("utf-8") != standing[-1].card):
        atomic.write_bytes(card, standing[-1].card.encode())


def _write(workspace: Workspace, experiment: str, events: list[Event]) -> None:
    path = _beside(link(workspace, experiment), HISTORY)
    generations.write(workspace, path, atomic.as_json(LOG.dump_python(events, mode="json")))


def _beside(place: Path, suffix: str) -> Path:
    return place.with_name(place.name + suffix)


def _found(standing: list[Publication]) -> str:
    if len(standing) < 2:
        return "none" if not standing else "only the current one"
    return f"one whose folder {standing[-2].model} is gone"


def _locked(workspace: Workspace, experiment: str) -> AbstractContextManager[object]:
    return locks.held(workspace, f"published-{as_file_name(experiment)}")
