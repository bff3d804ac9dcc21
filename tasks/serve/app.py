"""The server's four addresses, from a request to its answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse
from fastapi_offline import FastAPIOffline

from storage.errors import DarkroomError
from tasks.classify.classifier import Classifier
from tasks.pictures.decoding import Problem
from tasks.pictures.resizing import shown
from tasks.serve import responses
from tasks.serve.batching import Batches
from tasks.serve.connections import RestOfBody
from tasks.serve.limits import Limits
from tasks.serve.request_bodies import pictures_in
from tasks.serve.responses import Card, Health, Prediction, Refusal

RETRY_AFTER = {"Retry-After": "1"}


class Service:
    """One model, the requests that wait for it and the threads that work for them."""

    def __init__(self, classifier: Classifier, limits: Limits) -> None:
        self.classifier = classifier
        self.limits = limits
        self.taken = 0
        self.batches = Batches(classifier.probabilities, limits.batch)
        self.decoders = ThreadPoolExecutor(limits.decoders, thread_name_prefix="decoder")

    def warm(self) -> None:
        """The first computation, which takes longest; DarkroomError if the model fails at it."""
        black = np.zeros((self.classifier.side, self.classifier.side, 3), np.uint8)
        try:
            self.classifier.probabilities([black])
        except Exception as error:
            reason = str(error).strip().partition("\n")[0][:200]
            raise DarkroomError(
                f"expected a model that can classify a black picture, found that it fails "
                f"({reason}): run its experiment again, or name another model"
            ) from error

    @contextlib.asynccontextmanager
    async def running(self, _app: FastAPI) -> AsyncIterator[None]:
        """While it lasts requests are answered; afterwards nothing is left running."""
        computing = asyncio.create_task(self.batches.run())
        yield
        computing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await computing
        self.decoders.shutdown()

    @property
    def ready(self) -> bool:
        """Whether one more request would be taken."""
        return self.taken < self.limits.waiting

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place among the requests; HTTPException 503 where none is free."""
        if not self.ready:
            raise HTTPException(
                503, f"{self.taken} requests are waiting: try again later", headers=RETRY_AFTER
            )
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

    async def outcome(self, data: bytes) -> Prediction | Problem:
        """What the model says of an encoded picture, or why that picture cannot be used."""
        loop = asyncio.get_running_loop()
        pixels = await loop.run_in_executor(self.decoders, self._pixels, data)
        if isinstance(pixels, Problem):
            return pixels
        row = [float(one) for one in await self.batches.row(pixels)]
        best = max(range(len(row)), key=row.__getitem__)
        return Prediction(
            label=self.classifier.classes[best],
            probability=row[best],
            probabilities=dict(zip(self.classifier.classes, row, strict=True)),
        )

    def _pixels(self, data: bytes) -> np.ndarray | Problem:
        """At the model's size at once: a waiting picture takes as little memory as it can."""
        return shown(data, self.classifier.side, max_pixels=self.limits.max_pixels)


def create_app(classifier: Classifier, limits: Limits) -> FastAPI:
    """The ASGI application of one model, warm before the first request."""
    service = Service(classifier, limits)
    service.warm()
    app = FastAPIOffline(
        redoc_url=None,
        title="Darkroom",
        description=responses.described(limits),
        version="1",
        lifespan=service.running,
    )
    app.state.service = service
    app.add_middleware(RestOfBody, seconds=limits.rest_seconds)
    app.add_exception_handler(Exception, _failed)
    _add_predict(app, service)
    _add_health(app, service)
    _add_card(app, classifier)
    app.add_api_route("/", _docs, include_in_schema=False)
    return app


async def _failed(_request: Request, _error: Exception) -> Response:
    """The log has the traceback; a client is told no more than it needs."""
    return JSONResponse({"detail": "the model failed on this picture"}, 500)


async def _docs() -> Response:
    return RedirectResponse("docs")


def _add_predict(app: FastAPI, service: Service) -> None:
    @app.post(
        "/predict",
        summary="Classify pictures",
        responses=responses.predict_codes(service.limits),
        openapi_extra=responses.PREDICT_BODY,
    )
    async def predict(request: Request) -> Prediction | list[Prediction | Refusal]:
        """One picture gives one object. Several give a list in their order, with a `detail` in
        place of the label for each one that cannot be used.

        `curl -F file=@dog.jpg http://127.0.0.1:8000/predict`
        or `curl -H 'Content-Type: image/jpeg' --data-binary @dog.jpg http://127.0.0.1:8000/predict`
        """
        with service.place():
            pictures = await pictures_in(request, service.limits)
            return _said(await _outcomes(service, pictures))


async def _outcomes(service: Service, pictures: list[bytes]) -> list[Prediction | Problem]:
    """One per picture; raises what the model raised, once no picture is being worked on."""
    done = await asyncio.gather(
        *(service.outcome(picture) for picture in pictures), return_exceptions=True
    )
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return [one for one in done if not isinstance(one, BaseException)]


def _said(outcomes: list[Prediction | Problem]) -> Prediction | list[Prediction | Refusal]:
    said = [one if isinstance(one, Prediction) else _refusal(one) for one in outcomes]
    if all(isinstance(one, Refusal) for one in said):
        raise HTTPException(422, "; ".join(one.detail for one in said if isinstance(one, Refusal)))
    first = said[0]
    return first if len(said) == 1 and isinstance(first, Prediction) else said


def _refusal(problem: Problem) -> Refusal:
    return Refusal(detail=f"{problem.status}: {problem.reason}")


def _add_health(app: FastAPI, service: Service) -> None:
    @app.get("/health", summary="Ready or not", responses=responses.health_codes(service.limits))
    async def health(response: Response) -> Health:
        """Answered at once, also while the model computes."""
        if not service.ready:
            response.status_code = 503
            response.headers.update(RETRY_AFTER)
        return Health(ready=service.ready, waiting=service.taken)


def _add_card(app: FastAPI, classifier: Classifier) -> None:
    @app.get("/card", summary="The model card", responses=responses.CARD_TEXT, response_model=None)
    async def card(request: Request) -> Response:
        """Where the model comes from, what it takes and what it gives."""
        headers = {"Vary": "Accept", "X-Content-Type-Options": "nosniff"}
        if "application/json" in request.headers.get("accept", ""):
            whole = Card(
                classes=list(classifier.classes), side=classifier.side, card=classifier.card
            )
            return JSONResponse(whole.model_dump(), headers=headers)
        return PlainTextResponse(classifier.card, headers=headers)
