"""A row of any table as what JSON can hold, and back: nothing is lost on the way."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, DateTime, LargeBinary, Table
from sqlalchemy.orm import Session

from db import owned
from db.base import Utc

READ = 500  # rows fetched at once


def plain_rows(s: Session, table: Table, project_id: int) -> Iterator[dict[str, Any]]:
    """The project's rows of a table, or those it refers to of a shared one; never many of them in memory."""
    query = owned.rows(table, project_id).execution_options(yield_per=READ)
    for row in s.execute(query):
        yield {column.name: plain(value) for column, value in zip(table.columns, row, strict=True)}


def plain(value: Any) -> Any:
    """A column's value: times as ISO 8601 in UTC, bytes in base 64."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


def typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """What `plain` was made of. ValueError when the row has other columns than the table, or one cannot be read."""
    if row.keys() != set(table.columns.keys()):
        raise ValueError(f"a row of '{table.name}' has the columns {', '.join(sorted(row))}")
    return {name: _typed(table.columns[name], value) for name, value in row.items()}


def _typed(column: Column[Any], value: Any) -> Any:
    if isinstance(value, str) and isinstance(column.type, (Utc, DateTime)):
        return datetime.fromisoformat(value)
    return base64.b64decode(value) if isinstance(value, str) and isinstance(column.type, LargeBinary) else value
