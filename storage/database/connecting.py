"""Connections to the database of DARKROOM_DATABASE; its password is in no message."""

import functools
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from storage.errors import DatabaseAway, MissingLibrary, ParameterError
from storage.workspace import DATABASE_VARIABLE

SCHEMES = ("postgresql://", "postgres://")
CONNECT_SECONDS = 10
# A database that restarts is back by then.
PATIENCE_SECONDS = 90.0
BETWEEN_SECONDS = 1.0
Result = TypeVar("Result")


class Database:
    """One connection of this process, made when it is needed, and again when it was lost."""

    def __init__(self, address: str) -> None:
        if not address.startswith(SCHEMES):
            raise ParameterError(
                f"expected {DATABASE_VARIABLE} to be postgresql://USER:PASSWORD@HOST/NAME, found "
                "something else"
            )
        try:
            import psycopg
        except ImportError as error:
            raise MissingLibrary(
                f"expected psycopg for {DATABASE_VARIABLE}, found none: "
                "pip install 'darkroom[postgres]'"
            ) from error
        self._psycopg = psycopg
        self._address = address
        self._connection: Any = None
        self._sessions = 0
        self._turn = threading.RLock()

    def do(self, work: Callable[[Any], Result]) -> Result:
        """What `work` gives, told the connection; DatabaseAway after PATIENCE_SECONDS without one.

        It may be called again where the database was lost in the middle.
        """
        begun, told = time.monotonic(), False
        while True:
            try:
                with self._turn:
                    return work(self._connected())
            except self._psycopg.OperationalError as error:
                self.close()
                reason = str(error).strip().partition("\n")[0] or "the connection was lost"
                if time.monotonic() - begun > PATIENCE_SECONDS:
                    raise DatabaseAway(
                        f"the database of {DATABASE_VARIABLE} does not answer ({reason}): start "
                        "it and run again, what is done is kept"
                    ) from error
                if not told:
                    told = True
                    sys.stderr.write(
                        f"darkroom: waiting for the database of {DATABASE_VARIABLE} ({reason})\n"
                    )
                time.sleep(BETWEEN_SECONDS)

    def close(self) -> None:
        """Let go of the connection, and of every lock with it."""
        with self._turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @property
    def session(self) -> int:
        """Which of this process's connections it is; 0 without one."""
        connection = self._connection
        return 0 if connection is None or connection.closed else self._sessions

    def _connected(self) -> Any:
        if self._connection is None or self._connection.closed:
            self._sessions += 1
            self._connection = self._psycopg.connect(
                self._address,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                application_name="darkroom",
                client_encoding="UTF8",
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=3,
            )
        return self._connection


@functools.cache
def database(address: str) -> Database:
    """The database at this address; nothing is asked of it yet."""
    return Database(address)
