"""The first tables of the store.

Revision ID: 0001
Revises: nothing
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# fmt: off
TABLES = (
    "ls_server", "project", "ls_project", "codebook_revision", "codebook_use", "question", "label", "text",
    "text_body", "unit", "ls_task", "draw", "placement", "adapter", "scorer", "calibration", "release", "pointer",
    "prediction", "coder", "exposure", "push", "inbox", "answer", "answer_version", "answer_value", "tombstone",
    "snapshot", "snapshot_item", "run", "gate_decision", "look", "job", "lease",
)
# fmt: on


def upgrade() -> None:
    _projects_and_texts()
    _models()
    _suggestions_and_answers()
    _learning_and_jobs()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def row(table: str) -> list[Any]:
    """The surrogate key and the time of writing."""
    return [
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        time("created_at"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    ]


def ref(table: str, column: str, to: str, *, null: bool = False, cascade: bool = False) -> sa.Column[Any]:
    """A foreign key to another table's id; with `cascade` the row goes when what it belongs to goes."""
    key = sa.ForeignKey(f"{to}.id", name=f"fk_{table}_{column}_{to}", ondelete="CASCADE" if cascade else None)
    return sa.Column(column, BIG, key, nullable=null)


def words(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=null)


def whole(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, BIG, nullable=null)


def real(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Double(), nullable=null)


def truth(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def binary(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def json(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(none_as_null=True), nullable=null)


def time(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


# fmt: off
def _projects_and_texts() -> None:
    op.create_table("ls_server", *row("ls_server"),
        words("url"),
        sa.UniqueConstraint("url", name="uq_ls_server_url"),
    )
    op.create_table("project", *row("project"),
        words("key"), words("title"), whole("seed"), json("sampling_design"), words("gold_rule"), words("phase"),
        time("archived_at", null=True),
        sa.UniqueConstraint("key", name="uq_project_key"),
    )
    op.create_table("ls_project", *row("ls_project"),
        ref("ls_project", "project_id", "project", cascade=True), ref("ls_project", "server_id", "ls_server"),
        whole("ls_id"), whole("ls_created"), words("role"), words("secret_hash", null=True),
        whole("backend_id", null=True), whole("webhook_id", null=True),
        sa.UniqueConstraint("server_id", "ls_id", "ls_created", name="uq_ls_project_server_id_ls_id_ls_created"),
    )
    op.create_index("ix_ls_project_ls_id", "ls_project", ["ls_id"])
    op.create_index("ix_ls_project_project_id", "ls_project", ["project_id"])
    op.create_table("codebook_revision", *row("codebook_revision"),
        ref("codebook_revision", "project_id", "project", cascade=True), whole("number"), words("content_hash"),
        words("scoring_hash"), words("xml"), words("yaml"),
        ref("codebook_revision", "parent_id", "codebook_revision", null=True),
        sa.UniqueConstraint("project_id", "content_hash", name="uq_codebook_revision_project_id_content_hash"),
        sa.UniqueConstraint("project_id", "number", name="uq_codebook_revision_project_id_number"),
    )
    op.create_index("ix_codebook_revision_scoring_hash", "codebook_revision", ["scoring_hash"])
    op.create_table("codebook_use", *row("codebook_use"),
        ref("codebook_use", "project_id", "project", cascade=True),
        ref("codebook_use", "revision_id", "codebook_revision", cascade=True),
    )
    op.create_index("ix_codebook_use_project_id", "codebook_use", ["project_id"])
    op.create_table("question", *row("question"),
        ref("question", "project_id", "project", cascade=True), words("key"),
        sa.UniqueConstraint("project_id", "key", name="uq_question_project_id_key"),
    )
    op.create_table("label", *row("label"),
        ref("label", "question_id", "question", cascade=True), words("key"),
        sa.UniqueConstraint("question_id", "key", name="uq_label_question_id_key"),
    )
    op.create_table("text", *row("text"),
        ref("text", "project_id", "project", cascade=True), words("content_hash"), words("group_key", null=True),
        whole("cluster", null=True),
        sa.UniqueConstraint("project_id", "content_hash", name="uq_text_project_id_content_hash"),
    )
    op.create_index("ix_text_cluster", "text", ["cluster"])
    op.create_index("ix_text_group_key", "text", ["group_key"])
    op.create_table("text_body",
        ref("text_body", "text_id", "text", cascade=True), json("fields", null=True),
        time("erased_at", null=True),
        sa.PrimaryKeyConstraint("text_id", name="pk_text_body"),
    )
    op.create_table("unit", *row("unit"),
        ref("unit", "project_id", "project", cascade=True), ref("unit", "text_id", "text", cascade=True),
        words("source"), words("external_id"), whole("row", null=True), json("other", null=True),
        sa.UniqueConstraint("project_id", "source", "external_id", name="uq_unit_project_id_source_external_id"),
    )
    op.create_index("ix_unit_text_id", "unit", ["text_id"])
    op.create_table("ls_task", *row("ls_task"),
        ref("ls_task", "unit_id", "unit", cascade=True), ref("ls_task", "ls_project_id", "ls_project", cascade=True),
        whole("task_id"), time("deleted_at", null=True),
        sa.UniqueConstraint("ls_project_id", "task_id", name="uq_ls_task_ls_project_id_task_id"),
    )
    op.create_index("ix_ls_task_unit_id", "ls_task", ["unit_id"])
    op.create_table("draw", *row("draw"),
        ref("draw", "project_id", "project", cascade=True), whole("number"), whole("seed"), whole("population"),
        whole("audit"), whole("control"),
        sa.UniqueConstraint("project_id", "number", name="uq_draw_project_id_number"),
    )
    op.create_table("placement",
        ref("placement", "text_id", "text", cascade=True),
        ref("placement", "draw_id", "draw", null=True, cascade=True), whole("rank", null=True), words("stream"),
        words("role", null=True), time("placed_at"),
        sa.PrimaryKeyConstraint("text_id", name="pk_placement"),
    )
    op.create_index("ix_placement_draw_id", "placement", ["draw_id"])


def _models() -> None:
    op.create_table("adapter", *row("adapter"),
        ref("adapter", "project_id", "project", null=True), words("digest"), words("path"), json("manifest"),
        ref("adapter", "parent_id", "adapter", null=True), time("retired_at", null=True),
        sa.UniqueConstraint("digest", name="uq_adapter_digest"),
    )
    op.create_table("scorer", *row("scorer"),
        words("engine"), words("base"), words("base_digest"), words("adapter_digest"), words("prompt_hash"),
        words("scoring_hash"), words("dtype"), words("method"),
        sa.UniqueConstraint(
            "engine", "base_digest", "adapter_digest", "prompt_hash", "scoring_hash", "dtype", "method",
            name="uq_scorer_identity",
        ),
    )
    op.create_table("calibration", *row("calibration"),
        ref("calibration", "scorer_id", "scorer"), whole("version"), json("parameters"),
        sa.UniqueConstraint("scorer_id", "version", name="uq_calibration_scorer_id_version"),
    )
    op.create_table("release", *row("release"),
        ref("release", "project_id", "project", cascade=True), words("name"), ref("release", "scorer_id", "scorer"),
        ref("release", "calibration_id", "calibration", null=True),
        ref("release", "revision_id", "codebook_revision"), words("order_policy"),
        sa.UniqueConstraint("project_id", "name", name="uq_release_project_id_name"),
    )
    op.create_table("pointer", *row("pointer"),
        ref("pointer", "project_id", "project", cascade=True), ref("pointer", "release_id", "release"), words("by"),
        words("reason"),
    )
    op.create_index("ix_pointer_project_id", "pointer", ["project_id"])
    op.create_table("prediction", *row("prediction"),
        ref("prediction", "text_id", "text", cascade=True),
        ref("prediction", "question_id", "question", cascade=True), ref("prediction", "scorer_id", "scorer"),
        binary("log_probabilities"), whole("cut"),
        sa.UniqueConstraint("text_id", "question_id", "scorer_id", name="uq_prediction_text_id_question_id_scorer_id"),
    )
    op.create_index("ix_prediction_scorer_id_question_id", "prediction", ["scorer_id", "question_id"])


def _suggestions_and_answers() -> None:
    op.create_table("coder", *row("coder"),
        ref("coder", "project_id", "project", cascade=True), ref("coder", "server_id", "ls_server"), whole("ls_user"),
        words("pseudonym"),
        sa.UniqueConstraint("project_id", "pseudonym", name="uq_coder_project_id_pseudonym"),
        sa.UniqueConstraint("project_id", "server_id", "ls_user", name="uq_coder_project_id_server_id_ls_user"),
    )
    op.create_table("exposure", *row("exposure"),
        ref("exposure", "text_id", "text", cascade=True), ref("exposure", "release_id", "release"),
        ref("exposure", "ls_task_id", "ls_task", null=True, cascade=True), words("channel"),
        ref("exposure", "coder_id", "coder", null=True),
    )
    op.create_index("ix_exposure_ls_task_id", "exposure", ["ls_task_id"])
    op.create_index("ix_exposure_text_id", "exposure", ["text_id"])
    op.create_table("push", *row("push"),
        ref("push", "ls_task_id", "ls_task", cascade=True), ref("push", "release_id", "release"), real("score"),
        time("pushed_at", null=True),
        sa.UniqueConstraint("ls_task_id", "release_id", name="uq_push_ls_task_id_release_id"),
    )
    op.create_index("ix_push_release_id", "push", ["release_id"])
    op.create_table("inbox", *row("inbox"),
        ref("inbox", "project_id", "project", null=True, cascade=True), words("kind"), words("event_key", null=True),
        json("body"), words("body_hash"), time("applied_at", null=True), words("error", null=True), whole("attempts"),
        sa.UniqueConstraint("project_id", "event_key", name="uq_inbox_project_id_event_key"),
    )
    op.create_index("ix_inbox_applied_at", "inbox", ["applied_at"])
    op.create_table("answer", *row("answer"),
        ref("answer", "ls_project_id", "ls_project", cascade=True), whole("annotation_id"),
        ref("answer", "ls_task_id", "ls_task", cascade=True), ref("answer", "coder_id", "coder", null=True),
        time("answered_at"),
        sa.UniqueConstraint("ls_project_id", "annotation_id", name="uq_answer_ls_project_id_annotation_id"),
    )
    op.create_index("ix_answer_ls_task_id", "answer", ["ls_task_id"])
    op.create_table("answer_version", *row("answer_version"),
        ref("answer_version", "answer_id", "answer", cascade=True), time("updated_at"),
        ref("answer_version", "text_id", "text", cascade=True), words("via"),
        ref("answer_version", "revision_id", "codebook_revision"), words("phase"), words("origin"),
        truth("ground_truth"), truth("cancelled"), real("lead_time", null=True),
        ref("answer_version", "release_id", "release", null=True), json("notes", null=True),
        json("problems", null=True),
        sa.UniqueConstraint("answer_id", "updated_at", name="uq_answer_version_answer_id_updated_at"),
    )
    op.create_index("ix_answer_version_text_id", "answer_version", ["text_id"])
    op.create_table("answer_value", *row("answer_value"),
        ref("answer_value", "version_id", "answer_version", cascade=True),
        ref("answer_value", "question_id", "question", cascade=True),
        ref("answer_value", "label_id", "label", null=True, cascade=True), real("number", null=True), words("origin"),
        sa.UniqueConstraint(
            "version_id", "question_id", "label_id", name="uq_answer_value_version_id_question_id_label_id"
        ),
    )
    op.create_table("tombstone", *row("tombstone"),
        ref("tombstone", "ls_project_id", "ls_project", cascade=True), whole("annotation_id"), words("via"),
        sa.UniqueConstraint("ls_project_id", "annotation_id", name="uq_tombstone_ls_project_id_annotation_id"),
    )


def _learning_and_jobs() -> None:
    op.create_table("snapshot", *row("snapshot"),
        ref("snapshot", "project_id", "project", cascade=True), words("hash"),
        ref("snapshot", "revision_id", "codebook_revision"), json("rule"),
        sa.UniqueConstraint("project_id", "hash", name="uq_snapshot_project_id_hash"),
    )
    op.create_table("snapshot_item",
        ref("snapshot_item", "snapshot_id", "snapshot", cascade=True),
        ref("snapshot_item", "text_id", "text", cascade=True),
        ref("snapshot_item", "question_id", "question", cascade=True), json("value"), words("split"),
        sa.PrimaryKeyConstraint("snapshot_id", "text_id", "question_id", name="pk_snapshot_item"),
    )
    op.create_index("ix_snapshot_item_text_id", "snapshot_item", ["text_id"])
    op.create_table("run", *row("run"),
        ref("run", "project_id", "project", cascade=True), ref("run", "snapshot_id", "snapshot", null=True),
        ref("run", "adapter_id", "adapter", null=True), words("tuner"), whole("seed"), json("parameters"),
        json("metrics", null=True), words("state"), words("error", null=True), time("finished_at", null=True),
    )
    op.create_index("ix_run_project_id", "run", ["project_id"])
    op.create_table("gate_decision", *row("gate_decision"),
        ref("gate_decision", "project_id", "project", cascade=True), ref("gate_decision", "run_id", "run", null=True),
        ref("gate_decision", "challenger_id", "release"), ref("gate_decision", "champion_id", "release"),
        whole("look_number"), whole("n"), real("delta"), real("lower"), real("upper"), words("outcome"),
        json("details"),
        sa.UniqueConstraint("project_id", "look_number", name="uq_gate_decision_project_id_look_number"),
    )
    op.create_table("look", *row("look"),
        ref("look", "project_id", "project", cascade=True), ref("look", "revision_id", "codebook_revision"),
        ref("look", "release_id", "release"), words("by"), words("reason"),
    )
    op.create_index("ix_look_project_id", "look", ["project_id"])
    op.create_table("job", *row("job"),
        ref("job", "project_id", "project", null=True, cascade=True), words("kind"), words("state"), json("payload"),
        whole("progress"), whole("total", null=True), words("message", null=True), words("holder", null=True),
        whole("attempts"), time("started_at", null=True), time("finished_at", null=True),
    )
    op.create_index("ix_job_project_id", "job", ["project_id"])
    op.create_index("ix_job_state_id", "job", ["state", "id"])
    op.create_table("lease",
        words("name"), words("holder"), time("acquired_at"), time("expires_at"),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
