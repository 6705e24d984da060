"""What `doctor` examines: one Label Studio project of a project."""

from __future__ import annotations

from dataclasses import dataclass

from backend.corpus.finding import Finding, Level
from backend.corpus.label_studio import LabelStudio
from db.models import LsProject, Project
from db.store import Store

AGAIN = "Run `socialite connect` again with the project's key; it repairs this."


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined: one Label Studio project of a project, and the credentials that Label Studio should send."""

    store: Store
    client: LabelStudio
    project: Project
    row: LsProject
    auth: tuple[str, str] | None

    @property
    def about(self) -> str:
        return f"{self.project.key}, {self.row.role} project {self.row.ls_id}"

    def ok(self, check: str, said: str) -> Finding:
        return Finding(check, Level.OK, said, "", self.about)

    def bad(self, check: str, said: str, cure: str, level: Level = Level.FAIL) -> Finding:
        return Finding(check, level, said, cure, self.about)
