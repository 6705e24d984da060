"""What SQLite and PostgreSQL spell differently, and a short way to the driver for what a request waits for.

SQLAlchemy works a statement out anew for every list it holds. Here its text is fixed, and a list is one parameter of
it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import orjson
from sqlalchemy import Column, Connection, Dialect, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from db.base import Base

T = TypeVar("T")
Process = Callable[[Any], Any]


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in order, in lists of at most `size`."""
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part


def fetch(s: Session, sql: str, **parameters: Any) -> Sequence[tuple[Any, ...]]:
    """All rows of a query in SQL: `:name` is a parameter, `IN [name]` is membership of a list of numbers or strings."""
    connection = s.connection()
    if connection.dialect.name != "sqlite":
        return [tuple(row) for row in connection.exec_driver_sql(_spelt(sql, False), parameters)]
    plain = {k: orjson.dumps(v).decode() if isinstance(v, list) else v for k, v in parameters.items()}
    try:
        return list(_driver(connection).execute(_spelt(sql, True), plain))
    except sqlite3.Error as error:
        raise _error(connection, sql, error) from error


def _driver(connection: Connection) -> Any:
    """SQLite's own connection: a statement costs a tenth there of what SQLAlchemy adds to it."""
    return connection.connection.driver_connection


def _error(connection: Connection, sql: str, error: sqlite3.Error) -> BaseException:
    """SQLite's error as SQLAlchemy's; it quotes no values."""
    return DBAPIError.instance(sql, None, error, sqlite3.Error, True, dialect=connection.dialect)


@cache
def _spelt(sql: str, lite: bool) -> str:
    if lite:
        return re.sub(r"\bIN \[(\w+)\]", r"IN (SELECT value FROM json_each(:\1))", sql)
    return re.sub(r":(\w+)", r"%(\1)s", re.sub(r"\bIN \[(\w+)\]", r"= ANY(:\1)", sql))


def insert_new(s: Session, model: type[Base], rows: Sequence[Mapping[str, Any]], **same: Any) -> int:
    """Insert the rows that break no unique key, leave the others; the number inserted.

    The rows have the same keys; `same` is what all of them have in common. Defaults are filled in. IntegrityError when
    a row refers to what is not there.
    """
    if not rows:
        return 0
    connection = s.connection()
    plan = _plan(connection.dialect, model, tuple(rows[0]), tuple(same))
    fixed = tuple(process(same[name]) for name, process in plan.same) + tuple(p(make()) for make, p in plan.defaults)
    values = [tuple([process(row[name]) for name, process in plan.varying]) + fixed for row in rows]
    if connection.dialect.name != "sqlite":
        return connection.exec_driver_sql(plan.sql, values, execution_options={"preserve_rowcount": True}).rowcount
    try:
        return int(_driver(connection).executemany(plan.sql, values).rowcount)
    except sqlite3.Error as error:
        raise _error(connection, plan.sql, error) from error


class _Plan(NamedTuple):
    sql: str
    varying: list[tuple[str, Process]]
    same: list[tuple[str, Process]]
    defaults: list[tuple[Callable[[], Any], Process]]


@lru_cache(maxsize=512)
def _plan(dialect: Dialect, model: type[Base], varying: tuple[str, ...], same: tuple[str, ...]) -> _Plan:
    table = model.__table__
    assert isinstance(table, Table)
    absent = [c for c in table.columns if c.default is not None and c.name not in (*varying, *same)]
    names = [*varying, *same, *(c.name for c in absent)]
    mark = "?" if dialect.name == "sqlite" else "%s"
    columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join(mark for _ in names)
    return _Plan(
        f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING',  # noqa: S608 - own names
        [(name, _process(table.columns[name], dialect)) for name in varying],
        [(name, _process(table.columns[name], dialect)) for name in same],
        [(_default(column), _process(column, dialect)) for column in absent],
    )


def _process(column: Column[Any], dialect: Dialect) -> Process:
    """What turns a value of this column into the driver's."""
    return column.type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _default(column: Column[Any]) -> Callable[[], Any]:
    default: Any = column.default
    return (lambda: default.arg(None)) if default.is_callable else (lambda: default.arg)
