"""Events of a node, read from its shared memory in another process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from tradewright._core import EventReader
from tradewright.errors import DataError, EventsMissed


def attach_events(
    path: Path | str, *, start: Literal["oldest", "latest"] | int = "latest", name: str | None = None
) -> EventFeed:
    """Follow the events in the ring `path`, which a node writes.

    `start` is where to begin: with the "oldest" that is there, with the "latest", or at a position. A `name` shows the
    reader to the operator, and needs a file that may be written. Raises `DataError` when the file is no ring of
    events, or closed.
    """
    try:
        return EventFeed(EventReader(path, start=start, name=name))
    except ValueError as error:
        raise DataError(str(error), file=Path(path)) from error


class EventFeed:
    """The events of a node, in order. A reader that is too slow misses some, and is told how many."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader

    def read(self, *, events_max: int = 65_536, timeout_s: float = 0.0) -> npt.NDArray[np.void]:
        """Return what is new as an array of its own, waiting up to `timeout_s` for something.

        Raises `EventsMissed` when the writer was faster; the next call goes on behind what is gone.
        """
        missed_before = self._reader.skipped
        events = self._reader.poll(events_max, timeout_s=timeout_s)
        self._raise_for_missed(missed_before, events)
        return events

    @contextmanager
    def view(self, *, events_max: int = 65_536) -> Iterator[npt.NDArray[np.void]]:
        """Show what is new where it lies, without a copy, up to where the ring ends.

        The writer does not wait: it may overwrite what is shown. Then the end of the `with` block raises
        `EventsMissed`, and what was made of the view is to be thrown away.
        """
        missed_before = self._reader.skipped
        events = self._reader.view(events_max)
        self._raise_for_missed(missed_before, events)
        position = self._reader.position - len(events)
        yield events
        if len(events) and not self._reader.is_intact(position):
            raise EventsMissed(skipped=len(events), position=position + len(events))

    def _raise_for_missed(self, missed_before: int, events: npt.NDArray[np.void]) -> None:
        """Tell of what was missed before `events`, and leave them for the next call."""
        skipped = self._reader.skipped - missed_before
        if skipped:
            self._reader.seek(self._reader.position - len(events))
            raise EventsMissed(skipped=skipped, position=self._reader.position)

    @property
    def position(self) -> int:
        """The position of the next event: how many came before it since the node started."""
        return self._reader.position

    @property
    def lag(self) -> int:
        """How many events wait to be read, those that are gone included."""
        return self._reader.lag

    @property
    def events_missed(self) -> int:
        """How many events were missed in all because the writer was faster."""
        return self._reader.skipped

    @property
    def generation(self) -> int:
        """The number of the ring: another one after each start of the node."""
        return self._reader.generation

    @property
    def is_closed(self) -> bool:
        """Whether the node has ended or started again: nothing new will come. Attach again."""
        return self._reader.is_closed
