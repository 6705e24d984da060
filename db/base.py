"""What every table shares: constraint names, and a time that is always UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Double, Integer, MetaData, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class NaiveTimeError(ValueError):
    """A time without a time zone was about to be stored; give it one (all times here are UTC)."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Utc(TypeDecorator[datetime]):
    """A point in time. Only aware values go in; only UTC comes out, on SQLite too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveTimeError
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BIG = BigInteger().with_variant(Integer, "sqlite")
OBJECT = JSON(none_as_null=True)  # nothing is NULL, not the JSON word null


def now() -> datetime:
    """The current time, aware, UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar = {
        datetime: Utc, dict[str, Any]: OBJECT, list[str]: OBJECT, int: BIG, float: Double,
    }  # fmt: skip


class Row(Base):
    """A table with a surrogate key and the time its row was written."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True, sort_order=-2)
    created_at: Mapped[datetime] = mapped_column(Utc, default=now, sort_order=-1)
