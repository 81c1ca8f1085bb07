"""Rows on their way: fetched in batches, read to their end before the connection does anything else."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from mattermost_plugin.errors import NotSupportedError, ServerError, SQLError
from mattermost_plugin.sql._describing import TIME_TYPES
from mattermost_plugin.sql._driver import END_OF_ROWS, translate
from mattermost_plugin.sql._values import decoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mattermost_plugin.sql._describing import Plan
    from mattermost_plugin.sql._driver import Driver

__all__ = ["Description", "Rows"]

# Rows of the first batch, which is part of every query, and of the others. The host ends one at 1 MiB.
_FIRST, _MORE = 100, 2000

# name, type code, display size, internal size, precision, scale, null ok
Description = tuple[str, str, None, None, None, None, None]


class Rows:
    """The result sets of one statement.

    Attributes:
        types: Types of the columns, before any cast of ours.
        description: PEP 249's description of the columns.
        expected: False if the columns are not those of the plan; then there are no rows.
        open: Whether the host may have more.
    """

    def __init__(self, driver: Driver, rows_id: str, plan: Plan, *, parse_json: bool) -> None:
        self._driver = driver
        self._id = rows_id
        self._plan = plan
        self._parse_json = parse_json
        self._later: deque[Rows] = deque()
        self._start()

    def _start(self) -> None:
        self._buffer: deque[tuple[Any, ...]] = deque()
        self._count = 0
        self._set_ended = self._has_next = False
        # What there is instead of more rows, and instead of the next result set.
        self._failure: Exception | None = None
        self._beyond: SQLError | None = None
        # Of these, what the database says.
        self._refusal: Exception | None = None
        self.open = True
        rows, names, types, more, end = self._driver.rows_next(
            self._id, _FIRST, self._plan.columns, describe=True
        )
        self.expected = self._plan.fits(types)
        if not self.expected and end is None:
            self._driver.rows_close(self._id)
        own = self._plan.columns
        self.types = types[own:]
        names = names[own:]
        self.description: list[Description] = [
            (name, kind, None, None, None, None, None) for name, kind in zip(names, self.types, strict=True)
        ]
        self._decoders: list[tuple[int, Callable[[Any], Any]]] = []
        kinds = self._plan.kinds
        if kinds is None or len(kinds) != len(self.types):
            kinds = tuple(self.types)
        for index, kind in enumerate(kinds):
            decode = decoder(kind, parse_json=self._parse_json)
            if decode is not None:
                self._decoders.append((index, decode))
        if self.expected:
            self._take(rows, end, has_next=more)
        else:
            self.open = False

    def _take(self, rows: list[list[Any]], end: Exception | None, *, has_next: bool) -> None:
        """Keep rows; keep what went wrong, too, for whoever comes to it: it need not be who reads now."""
        self._count += len(rows)
        try:
            self._buffer.extend(self._decoded(rows))
        except Exception as error:  # noqa: BLE001 - raised when the rows before it were fetched
            self._failure = error
        if end is not None:
            self._set_ended, self._has_next, self.open = True, has_next, has_next
            if not (isinstance(end, ServerError) and end.code == END_OF_ROWS):
                self._failure = self._refusal = translate(end) if isinstance(end, ServerError) else end
        if self._failure is not None:
            self._close()

    def _decoded(self, rows: list[list[Any]]) -> Iterable[tuple[Any, ...]]:
        """Return rows with Python's values, column by column, which takes half the time of row by row."""
        if not self._decoders:
            return map(tuple, rows)
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        if columns:
            for index, decode in self._decoders:
                columns[index] = [None if value is None else decode(value) for value in columns[index]]
        return zip(*columns, strict=True)

    def _read(self) -> None:
        columns = self._plan.columns or len(self.types)
        rows, _names, _types, has_next, end = self._driver.rows_next(self._id, _MORE, columns)
        self._take(rows, end, has_next=has_next)

    @property
    def count(self) -> int:
        """How many rows there are; -1 while that is not known."""
        return self._count if self._set_ended and self._failure is None else -1

    def fetch(self, limit: int | None) -> list[tuple[Any, ...]]:
        """Return and forget the next rows, all of them for None."""
        while not self._set_ended and (limit is None or len(self._buffer) < limit):
            self._read()
        if self._failure is not None and (limit is None or limit > len(self._buffer)):
            raise self._failure
        if limit is None or limit >= len(self._buffer):
            found = list(self._buffer)
            self._buffer.clear()
            return found
        return [self._buffer.popleft() for _ in range(limit)]

    def fetch_one(self) -> tuple[Any, ...] | None:
        """Return and forget the next row; None after the last."""
        while not self._buffer and not self._set_ended:
            self._read()
        if self._buffer:
            return self._buffer.popleft()
        if self._failure is not None:
            raise self._failure
        return None

    def detach(self) -> Exception | None:
        """Read everything that is left, so that the connection is free.

        Returns:
            What the database refused meanwhile, if it did. Whoever fetches gets to know it, too.
        """
        while not self._set_ended:
            self._read()
        last, refusal = self, self._refusal
        while last._has_next:
            last._has_next = False
            try:
                following = last._following()
                while not following._set_ended and following.expected:
                    following._read()
            except SQLError as error:
                last._beyond = refusal = error
                break
            self._later.append(following)
            last, refusal = following, following._refusal
        self.open = False
        return refusal

    def complete(self) -> None:
        """Read everything that is left.

        Raises:
            DatabaseError: The database refused some of it.
        """
        refusal = self.detach()
        if refusal is not None:
            raise refusal

    def _following(self) -> Rows:
        self._driver.rows_next_result_set(self._id)
        return Rows(self._driver, self._id, self._plan, parse_json=self._parse_json)

    def next_set(self) -> Rows | None:
        """Return the next result set; None if this was the last."""
        while not self._set_ended:
            self._buffer.clear()
            self._read()
        if self._failure is not None:
            raise self._failure
        if self._later:
            following = self._later.popleft()
            following._later = self._later
        elif self._has_next:
            self._has_next = self.open = False
            following = self._following()
        elif self._beyond is not None:
            raise self._beyond
        else:
            return None
        following.require_expected()
        return following

    def require_expected(self) -> None:
        """Raise what the first rows ran into, or what is to be said about columns that cannot be fetched.

        Raises:
            NotSupportedError: There is a date or time among columns that could not be known before.
            DatabaseError: What the database refused.
            DataError: A value that Python cannot hold.
        """
        if self._failure is not None:
            raise self._failure
        if self.expected:
            return
        names = ", ".join(name for name, kind, *_ in self.description if kind in TIME_TYPES)
        raise NotSupportedError(
            "the date and time columns of such a statement have to be cast to text "
            f"({names or 'its columns changed'}): Mattermost's database driver does not carry them"
        )

    def close(self) -> None:
        """Forget what is left."""
        self._buffer.clear()
        self._later.clear()
        self._close()

    def _close(self) -> None:
        self._set_ended, self._has_next = True, False
        if self.open:
            self.open = False
            self._driver.rows_close(self._id)
