"""A run from the command line or from Python: from what is stored if it can, else by Prefect."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any, Literal

from flows.parameters import Experiment
from flows.server import API_URL, OwnServer
from flows.steps import answer_from_stored
from flows.summary import Finished, noted
from storage.errors import GateClosed, ServerUnreachable

EPHEMERAL = "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"


def run(
    experiment: Experiment,
    *,
    rerun: tuple[str, ...] = (),
    until: str | None = None,
    retry: Literal["failed"] | None = None,
) -> Finished:
    """How the run ended, also where the gate is closed: `gate` in its summary says why then.

    Where nothing is to do and no Prefect server is named there is nothing to record: none is
    started, and Prefect is not imported.
    """
    if not rerun and retry is None and not _server_is_named():
        stored = answer_from_stored(experiment, until)
        if stored is not None:
            return stored
    return _by_prefect(experiment, rerun=list(rerun), until=until, retry=retry)


def _by_prefect(experiment: Experiment, **how: Any) -> Finished:
    _have_server()
    return _flow_run(experiment, **how)


def _have_server() -> None:
    """A server records the run: the one that is named, else one of this process."""
    if _server_is_named() or os.environ.get(EPHEMERAL, "true").lower() in ("false", "0"):
        return
    server = OwnServer.started()
    importlib.import_module("flows.pipeline")  # Prefect, while the server imports it as well
    server.wait()


def _flow_run(experiment: Experiment, **how: Any) -> Finished:
    from flows.pipeline import pipeline

    groups = {name: getattr(experiment, name) for name in type(experiment).model_fields}
    with noted() as ended:
        try:
            pipeline(**groups, **how)
        except GateClosed:
            # The run is whole but for its last word: its report is there, and so are its numbers.
            if not ended:
                raise
        except RuntimeError as error:
            if not str(error).startswith("Failed to reach API"):  # so Prefect says it
                raise
            raise ServerUnreachable(
                f"{error}: start that server with `prefect server start`, or unset {API_URL}"
            ) from error
    return ended[-1]


def _server_is_named() -> bool:
    """Whether the environment or Prefect's own settings name a server; Prefect is not imported."""
    if os.environ.get(API_URL):
        return True
    if "prefect" in sys.modules:
        from prefect.settings import PREFECT_API_URL

        return bool(PREFECT_API_URL.value())
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    try:
        return API_URL in profiles.read_text(encoding="utf-8")
    except OSError:
        return False
