"""One model behind the addresses: loaded beside the first requests, then computing in batches."""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from fastapi import FastAPI, HTTPException

from storage.errors import DarkroomError
from tasks.classify.classifier import Classifier
from tasks.pictures.decoding import Problem
from tasks.pictures.resizing import shown
from tasks.serve.batching import Batches
from tasks.serve.limits import Limits
from tasks.serve.request_bodies import RETRY_AFTER, Room
from tasks.serve.responses import Doubted, Prediction, State

# (classes,) probabilities of one picture, and how familiar it is where answers are doubted.
Judged = tuple[np.ndarray, float | None]
LOG = logging.getLogger("uvicorn.error")


class Service:
    """One model, the requests that wait for it and the threads that work for them.

    `failure` is why the model could not be loaded, when it could not; then `when_failed` is called,
    and `when_ready` once it is.
    """

    def __init__(self, open_model: Callable[[], Classifier], limits: Limits) -> None:
        self.open_model = open_model
        self.limits = limits
        self.taken = 0
        self.room = Room(limits)
        self._working = asyncio.Semaphore(limits.working)
        self.failure: Exception | None = None
        self.when_ready: Callable[[], None] = _nothing
        self.when_failed: Callable[[], None] = _nothing
        # Pictures as they were sent take memory: few are decoded at once, however many cores.
        self.decoding = threading.Semaphore(limits.decoders)
        threads = max(limits.decoders, os.cpu_count() or 1)
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="picture")
        self._loaded: tuple[Classifier, Batches] | None = None

    @contextlib.asynccontextmanager
    async def running(self, _app: FastAPI) -> AsyncIterator[None]:
        """While it lasts requests are answered; afterwards nothing is left running."""
        working = asyncio.create_task(self._work())
        yield
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        self.threads.shutdown()

    async def _work(self) -> None:
        try:
            classifier = await asyncio.to_thread(self._warm)
        except Exception as error:  # noqa: BLE001 - whoever waits for the server raises it
            self.failure = error
            self.when_failed()
            return
        if classifier.remark:
            LOG.warning(classifier.remark)
        batches = Batches(classifier.probabilities, self.limits.batch)
        self._loaded = classifier, batches
        self.when_ready()
        await batches.run()

    def _warm(self) -> Classifier:
        """The model, after the first computation, which takes longest."""
        classifier = self.open_model()
        side = classifier.square.side
        black = np.zeros((side, side, 3), np.uint8)
        try:
            classifier.probabilities([black])
        except Exception as error:
            reason = str(error).strip().partition("\n")[0][:200]
            raise DarkroomError(
                f"expected a model that can classify a black picture, found that it fails "
                f"({reason}): run its experiment again, or name another model"
            ) from error
        return classifier

    @property
    def state(self) -> State:
        """Whether one more request would be taken, and why not."""
        if self._loaded is None:
            return "loading"
        return "ready" if self.taken < self.limits.waiting else "busy"

    @property
    def classifier(self) -> Classifier:
        """The model; HTTPException 503 while it is being loaded."""
        return self._model()[0]

    @property
    def batches(self) -> Batches:
        """What computes; HTTPException 503 while the model is being loaded."""
        return self._model()[1]

    def _model(self) -> tuple[Classifier, Batches]:
        if self._loaded is None:
            raise HTTPException(503, "the model is being loaded: try again", headers=RETRY_AFTER)
        return self._loaded

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place among the requests; HTTPException 503 where none is free."""
        self._model()
        if self.state == "busy":
            raise HTTPException(
                503, f"{self.taken} requests are waiting: try again later", headers=RETRY_AFTER
            )
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A turn to be worked on, in the order of coming; HTTPException 503 if none comes soon."""
        try:
            async with asyncio.timeout(self.limits.queue_seconds):
                await self._working.acquire()
        except TimeoutError:
            raise HTTPException(
                503, f"{self.taken} requests are waiting: try again later", headers=RETRY_AFTER
            ) from None
        try:
            yield
        finally:
            self._working.release()

    def _seen(self, classifier: Classifier, data: bytes) -> np.ndarray | Problem | Judged:
        """The picture at the model's size, which takes as little memory as it can while it waits;
        where the model computes pictures one by one, what it says, and how familiar it finds it.
        """
        with self.decoding:
            pixels = shown(data, classifier.square, self.limits.max_pixels)
        if isinstance(pixels, Problem) or _in_batches(classifier):
            return pixels
        found, familiar = classifier.judged([pixels])
        return found[0], familiar[0]

    async def outcome(self, data: bytes) -> Prediction | Problem:
        """What the model says of an encoded picture, or why that picture cannot be used."""
        classifier = self.classifier
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self.threads, self._seen, classifier, data)
        if isinstance(found, Problem):
            return found
        if isinstance(found, tuple):
            values, familiarity = found
        else:
            values, familiarity = await self.batches.row(found), None
        row = [float(one) for one in values]
        best = max(range(len(row)), key=row.__getitem__)
        said = Prediction(
            label=classifier.classes[best],
            probability=row[best],
            probabilities=dict(zip(classifier.classes, row, strict=True)),
        )
        doubt = classifier.doubt(row, familiarity)
        return said if doubt is None else Doubted(**said.model_dump(), **doubt._asdict())


def _in_batches(classifier: Classifier) -> bool:
    """Whether pictures are computed together, and not one by one, each by the thread it is in."""
    return classifier.at_once == 1 and classifier.bounds is None


def _nothing() -> None:
    """What is done where nobody waits for the end."""
