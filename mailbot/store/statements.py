"""Statements of the hot path: compiled once by SQLAlchemy, run on the driver's own cursor.

In: a SQLAlchemy Core statement whose values are `bindparam`s. Out: rows or counts, as SQLAlchemy would give them, with
the same types (the columns' own processors convert times and JSON) and the same errors (`StoreUnavailable` for failures
of the machine). This saves building, hashing and dispatching the statement at each run: a mail runs some twenty, and a
look-up by index took 0.36 ms through `Connection.execute`, 0.004 ms this way; an update of one row 0.22 and 0.008 ms
(CPU time, SQLite, Python 3.11, a nearly empty desk).

A statement is compiled for each dialect at its first run. Nothing is formatted into SQL: parameters are the driver's.
Rows, parameters and cursors belong to the driver, so their types are `Any` here; callers make frozen values of rows.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Dialect, Select, Table, bindparam, exc, insert, update
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel.sql.sqltypes import UTCDateTime

from mailbot.errors import StoreUnavailable
from mailbot.store.faults import in_words

# Name of the execution option that says where the database is: for error messages.
WHERE = "mailbot_where"

Convert = Callable[[Any], Any]
_Key = TypeVar("_Key", int, str)


class CompiledStatement:
    """One statement. `columns`: of an INSERT, the columns that get a value at each run (keys of its parameters)."""

    def __init__(self, statement: Select[Any] | UpdateBase, columns: Iterable[str] | None = None) -> None:
        self._statement = statement
        self._columns = list(columns) if columns is not None else None
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Any]:
        """Return the rows of a SELECT, or of RETURNING, as named tuples."""
        compiled, cursor = self._run(connection, parameters)
        found = cursor.fetchall()
        return compiled.converted(found) if found else found

    def scalar(self, connection: Connection, parameters: Mapping[str, Any]) -> Any:
        """Return the first column of the first row, or None."""
        found = self.rows(connection, parameters)
        return found[0][0] if found else None

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> int:
        """Run it; return how many rows it touched."""
        return int(self._run(connection, parameters)[1].rowcount)

    def run_many(self, connection: Connection, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Run it once for each set of parameters."""
        compiled = self._for(connection.dialect)
        try:
            bare(connection).cursor().executemany(compiled.sql, [compiled.bound(some) for some in parameters])
        except Exception as error:
            raise _as_ours(connection, compiled.sql, error) from error

    def _run(self, connection: Connection, parameters: Mapping[str, Any]) -> tuple[_Compiled, Any]:
        compiled = self._for(connection.dialect)
        try:
            return compiled, bare(connection).execute(compiled.sql, compiled.bound(parameters))
        except Exception as error:
            raise _as_ours(connection, compiled.sql, error) from error

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _Compiled(self._statement, dialect, self._columns)
        return found


class _Compiled:
    """A statement in one dialect: its SQL, and the converters of its parameters and columns."""

    def __init__(self, statement: Select[Any] | UpdateBase, dialect: Dialect, columns: list[str] | None) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        self.sql = str(compiled)
        fixed = compiled.params
        kinds = {name: bind.type for bind, name in compiled.bind_names.items()}
        needed = {name for bind, name in compiled.bind_names.items() if bind.required}
        given = needed | set(columns or ())
        self._order: list[str] | None = compiled.positiontup if compiled.positional else None
        names = self._order if self._order is not None else list(fixed)
        self._plan: list[tuple[str, bool, Convert | None, Any]] = []
        for name in names:
            convert = kinds[name].dialect_impl(dialect).bind_processor(dialect)
            if convert is not None and isinstance(kinds[name], UTCDateTime):
                convert = lru_cache(maxsize=64)(convert)
            is_given = name in given
            value = None if is_given else convert(fixed[name]) if convert else fixed[name]
            self._plan.append((name, is_given, convert, value))
        results = (
            statement.column_descriptions if isinstance(statement, Select) else statement.returning_column_descriptions
        )
        self._converts = [
            (index, convert)
            for index, column in enumerate(results)
            if (convert := column["type"].dialect_impl(dialect).result_processor(dialect, None)) is not None
        ]
        names_of_columns = [str(column["name"]) for column in results]
        row: Any = namedtuple("Row", names_of_columns, rename=True)  # type: ignore[misc]
        self._row = row._make

    def bound(self, parameters: Mapping[str, Any]) -> Any:
        """Return the parameters for the driver: a list for positional ones, a dict for named ones."""
        if self._order is not None:
            return [
                (convert(parameters[name]) if convert else parameters[name]) if is_given else value
                for name, is_given, convert, value in self._plan
            ]
        return {
            name: (convert(parameters[name]) if convert else parameters[name]) if is_given else value
            for name, is_given, convert, value in self._plan
        }

    def converted(self, found: list[Any]) -> list[Any]:
        """Convert the driver's values in rows to those of the columns' types."""
        made = []
        for row in found:
            if self._converts:
                values = list(row)
                for index, convert in self._converts:
                    values[index] = convert(values[index])
                row = values
            made.append(self._row(row))
        return made


def bare(connection: Connection) -> Any:
    """Return the driver's own connection."""
    return connection.connection.dbapi_connection


def _as_ours(connection: Connection, sql: str, error: Exception) -> Exception:
    """Return the driver's error as SQLAlchemy would raise it, or `StoreUnavailable`."""
    dbapi = connection.dialect.loaded_dbapi
    if not isinstance(error, dbapi.Error):
        return error
    made: Any = exc.DBAPIError.instance(sql, None, error, dbapi.Error, hide_parameters=True, dialect=connection.dialect)
    words = in_words(made, where=str(connection.get_execution_options().get(WHERE, "")))
    fault: Exception = made if words is None else StoreUnavailable(words)
    return fault


@contextmanager
def faults_of(connection: Connection, sql: str) -> Iterator[None]:
    """Translate the driver's errors in the block as those of a statement."""
    try:
        yield
    except Exception as error:
        raise _as_ours(connection, sql, error) from error


class Savepoint:
    """A savepoint of a transaction, set when it is constructed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._say("SAVEPOINT one_mail")

    def commit(self) -> None:
        """Keep what was written since then; the transaction still has to be committed."""
        self._say("RELEASE SAVEPOINT one_mail")

    def rollback(self) -> None:
        """Undo what was written since then."""
        self._say("ROLLBACK TO SAVEPOINT one_mail")
        self._say("RELEASE SAVEPOINT one_mail")

    def _say(self, sql: str) -> None:
        try:
            bare(self._connection).execute(sql)
        except Exception as error:
            raise _as_ours(self._connection, sql, error) from error


@lru_cache(maxsize=256)
def update_row(table: Table, columns: frozenset[str]) -> CompiledStatement:
    """Return the UPDATE of these columns of the row `row_id`."""
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in sorted(columns)}
    return CompiledStatement(update(table).where(table.c.id == bindparam("row_id")).values(values))


def set_row(connection: Connection, table: Table, row_id: int, values: Mapping[str, Any]) -> None:
    """Update one row of a table."""
    parameters: dict[str, Any] = {f"new_{name}": value for name, value in values.items()}
    update_row(table, frozenset(values)).run(connection, parameters | {"row_id": row_id})


@lru_cache(maxsize=64)
def insert_row(table: Table, columns: frozenset[str]) -> CompiledStatement:
    """Return the INSERT of one row whose id the database assigns; it returns the id."""
    return CompiledStatement(insert(table).returning(table.c.id), columns)


def add_row(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Insert a row; return its id."""
    return int(insert_row(table, frozenset(values)).scalar(connection, values))


@lru_cache(maxsize=64)
def insert_rows(table: Table, columns: frozenset[str]) -> CompiledStatement:
    """Return the INSERT of several rows, which returns nothing."""
    return CompiledStatement(insert(table), columns)


def add_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns."""
    if rows:
        insert_rows(table, frozenset(rows[0])).run_many(connection, rows)


def named(values: Sequence[Any]) -> dict[str, Any]:
    """Return the parameters for `one_of`: {"v0": first value, …}."""
    return {f"v{index}": value for index, value in enumerate(values)}


def one_of(column: ColumnElement[Any], count: int) -> ColumnElement[bool]:
    """Return `column IN (:v0, …)` with `count` parameters, which `named` gives."""
    return column.in_([bindparam(f"v{index}", type_=column.type) for index in range(count)])


def in_steps(values: Iterable[_Key], most: int = 256) -> Iterator[list[_Key]]:
    """Split values for `one_of` into sorted lists of at most `most`; the last value is repeated up to a power of two.

    The padding bounds the number of statements to compile, whatever the number of values is.
    """
    wanted = sorted(set(values))
    for start in range(0, len(wanted), most):
        some = wanted[start : start + most]
        yield some + some[-1:] * ((1 << (len(some) - 1).bit_length()) - len(some))


class Transaction:
    """One transaction on one desk, used by one thread. `locking` False: it only reads."""

    def __init__(self, connection: Connection, desk_id: int, now: datetime, *, locking: bool = True) -> None:
        self.connection = connection
        self.desk_id = desk_id
        self.now = now
        # A writer on SQLite has locked the whole database.
        self._for_update = locking and connection.dialect.name == "postgresql"
