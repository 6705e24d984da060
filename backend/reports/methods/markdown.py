"""`methods.md`: the paragraph, what to cite, and what each number is."""

from __future__ import annotations

from collections.abc import Sequence

from backend.findings.study import Study
from backend.findings.validity import Validity
from backend.reports.methods.marks import row, rule, words
from backend.reports.methods.paragraph import Program, paragraph, what_numbers_are

WORKS = (
    "Egami, N., Hinck, M., Stewart, B. M., & Wei, H. (2023). Using imperfect surrogates for downstream inference: "
    "Design-based supervised learning for social science applications of large language models. NeurIPS 36.",
    "Angelopoulos, A. N., Bates, S., Fannjiang, C., Jordan, M. I., & Zrnic, T. (2023). Prediction-powered inference. "
    "Science 382(6671).",
    "Krippendorff, K. (2004). Reliability in content analysis: Some common misconceptions and recommendations. Human "
    "Communication Research 30(3).",
)


def methods(study: Study, found: Sequence[Validity], program: Program) -> str:
    scorer = study.facts.scorer
    model = [f"The model, by its makers' card: {scorer.base} (digest {scorer.base_digest})."] if scorer else []
    lines = [
        f"# Methods of {words(study.facts.project.title)}",
        "",
        words(paragraph(study, found, program)),
        "",
        "## How to cite",
        "",
        *(f"- {words(work)}" for work in (f"{program}, the program.", *model, *WORKS)),
        "",
        "Cite the last three where you use the corrected estimates and the agreement; the codebook's own source is "
        "yours to name.",
        "",
        "## What each number is",
        "",
        row(("number", "value", "what it is")),
        rule(3),
        *(row(cells) for cells in what_numbers_are(study, found)),
        "",
        "Intervals are at 95 %, from resampled texts (whole groups of texts that belong together). Everything is "
        "computed from the store as it was when this was written; `manifest.json` says when, and with what.",
        "",
    ]
    return "\n".join(lines)
