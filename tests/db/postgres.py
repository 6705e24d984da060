"""The PostgreSQL store of the tests: one for each process that runs tests, so that none empties another's tables."""

from __future__ import annotations

import os
from functools import cache

import pytest
import sqlalchemy as sa

from db.base import Base
from db.store import Store, open_store

GIVEN = os.environ.get("SOCIALITE_TEST_POSTGRES")  # of an empty database, whose tables are emptied


def given() -> str:
    """The address of the database that SOCIALITE_TEST_POSTGRES names, or of this process's beside it; the test skips
    where none is named.
    """
    if not GIVEN:
        pytest.skip("SOCIALITE_TEST_POSTGRES is not set")
    return of_this_process(GIVEN)


def emptied(address: str) -> Store:
    """The store at an address, its tables empty."""
    store = open_store(address)
    with store.writing() as s:
        tables = ", ".join(f'"{table}"' for table in Base.metadata.tables)
        s.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    return store


@cache
def of_this_process(address: str) -> str:
    """`address` itself, or where several processes run tests (pytest -n) that of a database of this one's own, which
    is made if need be.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if not worker:
        return address
    url = sa.make_url(address)
    own = f"{url.database}_{worker}"
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if not connection.scalar(sa.text("SELECT 1 FROM pg_database WHERE datname = :own"), {"own": own}):
            connection.execute(sa.text(f'CREATE DATABASE "{own}"'))
    engine.dispose()
    return url.set(database=own).render_as_string(hide_password=False)
