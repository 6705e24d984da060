"""Every table of the store."""

from __future__ import annotations

from db.models.answer import Answer, AnswerValue, AnswerVersion, Coder, Inbox, Tombstone
from db.models.codebook import CodebookRevision, CodebookUse, Label, Question
from db.models.job import Job, Lease
from db.models.learning import GateDecision, Look, Run, Snapshot, SnapshotItem
from db.models.meaning import Meaning
from db.models.model import Adapter, Calibration, Pointer, Release, Scorer
from db.models.prediction import Exposure, Prediction, Push
from db.models.project import LsProject, LsServer, Project
from db.models.text import Draw, LsTask, Placement, Text, TextBody, Unit

__all__ = [
    "Adapter", "Answer", "AnswerValue", "AnswerVersion", "Calibration", "CodebookRevision", "CodebookUse", "Coder",
    "Draw", "Exposure", "GateDecision", "Inbox", "Job", "Label", "Lease", "Look", "LsProject", "LsServer", "LsTask",
    "Meaning", "Placement", "Pointer", "Prediction", "Project", "Push", "Question", "Release", "Run", "Scorer",
    "Snapshot", "SnapshotItem", "Text", "TextBody", "Tombstone", "Unit",
]  # fmt: skip
