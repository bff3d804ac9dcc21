"""Concurrent requests answered together: what arrives during a computation is in the next one."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

Compute = Callable[["Sequence[np.ndarray]"], "np.ndarray"]
Waiting = tuple["np.ndarray", "asyncio.Future[np.ndarray]"]


class Batches:
    """One computation at a time, of all pictures that wait, `most` of them at the most.

    Nothing waits for company: a picture that finds the network idle is computed at once.
    """

    def __init__(self, compute: Compute, most: int) -> None:
        self.compute = compute
        self.most = most
        self.waiting: asyncio.Queue[Waiting] = asyncio.Queue()

    async def row(self, pixels: np.ndarray) -> np.ndarray:
        """What `compute` gives for this picture; raises what it raises for this picture alone."""
        answer: asyncio.Future[np.ndarray] = asyncio.get_running_loop().create_future()
        self.waiting.put_nowait((pixels, answer))
        return await answer

    async def run(self) -> None:
        """Compute until cancelled."""
        with ThreadPoolExecutor(1, thread_name_prefix="network") as thread:
            while True:
                batch = [await self.waiting.get()]
                while len(batch) < self.most and not self.waiting.empty():
                    batch.append(self.waiting.get_nowait())
                await self._answer(thread, batch)

    async def _answer(self, thread: ThreadPoolExecutor, batch: list[Waiting]) -> None:
        """Every future of the batch is done; a picture that fails is computed alone to tell."""
        # A client that has gone need not be answered.
        batch = [one for one in batch if not one[1].done()]
        if not batch:
            return
        pictures = [pixels for pixels, _ in batch]
        try:
            rows = await asyncio.get_running_loop().run_in_executor(thread, self.compute, pictures)
            answers = list(zip(batch, rows, strict=True))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the requests' answer
            await self._told_apart(thread, batch, error)
            return
        for (_, answer), row in answers:
            _settle(answer, row)

    async def _told_apart(
        self,
        thread: ThreadPoolExecutor,
        batch: list[Waiting],
        error: Exception,
    ) -> None:
        if len(batch) == 1:
            _settle(batch[0][1], error)
            return
        for one in batch:
            await self._answer(thread, [one])


def _settle(answer: asyncio.Future[np.ndarray], outcome: np.ndarray | Exception) -> None:
    if answer.done():
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
