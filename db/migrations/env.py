"""Run by Alembic: migrates the connection that `db.upgrade` hands over, inside that connection's transaction."""

from __future__ import annotations

from alembic import context

from db.base import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
