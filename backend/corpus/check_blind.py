"""Whether an audit or an adjudication project is blind: no suggestion by any way, the order of the tasks, the planned
number of coders.
"""

from __future__ import annotations

from backend.corpus import wiring
from backend.corpus.finding import Finding, Findings, Level, either
from backend.corpus.label_studio import Json
from backend.corpus.patient import AGAIN, Patient
from db.projects import AUDIT

EVERYBODY = (
    "In Label Studio's open edition every account sees all answers in the list of tasks, with their authors. Tell "
    "coders to work from "
    "the Label button only; where their independence must be strict, give each coder an audit project of their own."
)


def check_blindness(patient: Patient, there: Json, backends: list[Json]) -> Findings:
    """Nobody is shown a suggestion, the order is the draw's, and k coders code each text, or one adjudicates it."""
    about, role = patient.about, patient.row.role
    cure = "Remove it under Settings > Model in Label Studio."
    yield either("blind-backend", not backends, "No ML backend.", f"The {role} project has an ML backend.", cure, about)
    held = int(there.get("total_predictions_number") or 0)
    cure = (
        "Delete them in the Data Manager (Actions > Delete predictions); texts that were shown are lost for the audit."
    )
    wrong = f"{held:,} suggestions are stored in the {role} project."
    yield either("blind-predictions", held == 0, "No suggestion is stored.", wrong, cure, about)
    prelabels = f"The {role} project prelabels tasks."
    yield either(
        "blind-prelabels", not there.get("show_collab_predictions"), "Nothing is prelabelled.", prelabels, AGAIN, about
    )
    right = there.get("sampling") == wiring.AUDIT["sampling"]
    order = f"The order is not that of the tasks ({there.get('sampling')}): what is finished first is no random sample."
    yield either("blind-order", right, "The tasks come in the order in which they were made.", order, AGAIN, about)
    coders = patient.project.sampling_design.get("coders") if role == AUDIT else 1
    k = there.get("maximum_annotations")
    wrong = f"Each text is coded by {k}, but {coders} were planned."
    cure = "Set it under Settings > Quality > Annotations per task, or connect again."
    yield either("coders", coders == k, f"Each text is coded by {k}.", wrong, cure, about, Level.WARN)
    if role == AUDIT:
        yield Finding("who-sees-answers", Level.NOTE, EVERYBODY, "", about)
