"""What was used and done, with versions and hashes, so that somebody else can check that it was the same."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from backend.findings.sample import Frame, role
from backend.findings.study import Study
from db.base import now

FORMAT = 1
LIBRARIES = (
    *("numpy", "scipy", "scikit-learn", "torch", "transformers", "peft", "safetensors", "tokenizers"),
    *("sqlalchemy", "label-studio-sdk", "datasketch", "pydantic"),
)


def manifest(study: Study, samples: Mapping[str, Frame | str]) -> dict[str, Any]:
    """A dictionary that JSON can hold; `samples`: question -> the sample of which the table holds people's labels.

    What is not known is None. `files` are to be added by who writes the folder (`hashes`).
    """
    facts = study.facts
    project, revision = facts.project, facts.revision
    return {
        "format": FORMAT,
        "written": _time(now()),
        "program": {
            "name": "socialite",
            "version": _version("socialite"),
            "commit": commit(),
            "python": platform.python_version(),
            "system": platform.system(),
            "libraries": {name: _version(name) for name in LIBRARIES},
        },
        "project": {
            "key": project.key,
            "title": project.title,
            "phase": facts.phase,
            "seed": project.seed,
            "sampling_design": project.sampling_design,
            "gold_rule": project.gold_rule,
            "created": _time(project.created_at),
        },
        "codebook": {
            "revision": revision.number,
            "revisions": study.revisions,
            "content_hash": revision.content_hash,
            "scoring_hash": revision.scoring_hash,
            "said_to_mean_the_same": [
                {
                    "question": one.question,
                    "revisions": [one.earlier, one.later],
                    "by": one.by,
                    "reason": one.reason,
                    "at": _time(one.at),
                }
                for one in study.said
            ],
            "questions": {
                q.id: {"kind": q.kind.value, "labels": {label.id: label.code for label in q.labels}}
                for q in facts.book.questions
            },
        },
        "corpus": {
            "rows": study.rows,
            "texts": len(facts.texts.ids),
            "clusters": len(np.unique(facts.texts.cluster)),
            "streams": {stream or "not drawn": n for stream, n in sorted(study.streams.items())},
            "erased": study.erased,
        },
        "draws": [
            {
                "number": draw.number,
                "seed": draw.seed,
                "population": draw.population,
                "audit": draw.audit,
                "control": draw.control,
                "drawn": _time(draw.created_at),
            }
            for draw in study.draws
        ],
        "sample": {"role": role(facts), "questions": {key: _sample(one) for key, one in samples.items()}},
        "coding": {
            name: _time(value) if isinstance(value, datetime) else value
            for name, value in ((name, getattr(study.coded, name)) for name in study.coded.__dataclass_fields__)
        },
        "model": _model(study),
        "tuning": _tuning(study),
        "tried": {
            "runs": len(study.runs),
            "releases": study.releases,
            "releases_served": len(study.served),
            "looks_at_gate": len(study.decisions),
            "openings_of_test": len(facts.looks),
        },
        "openings": [
            {
                "at": _time(look.created_at),
                "by": look.by,
                "reason": look.reason,
                "this_release_and_codebook": facts.opened is not None
                and (look.revision_id, look.release_id) == (facts.opened.revision_id, facts.opened.release_id),
            }
            for look in facts.looks
        ],
    }


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    """Name -> sha256."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}


def commit() -> str | None:
    """The commit of the checkout that this program runs from; None where it was installed without its history."""
    checkout, git = Path(__file__).resolve().parents[2], shutil.which("git")
    if git is None or not (checkout / ".git").exists():
        return None
    done = subprocess.run(
        [git, "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, encoding="utf-8", check=False
    )
    return done.stdout.strip() or None if done.returncode == 0 else None


def _sample(found: Frame | str) -> dict[str, Any]:
    if isinstance(found, str):
        return {"missing": found}
    return {
        "drawn": int(found.drawn.sum()),
        "of": len(found.drawn),
        "texts_with_label": int(found.coded.sum()),
        "texts_without": found.missing,
        "rows_outside": found.outside,
    }


def _model(study: Study) -> dict[str, Any] | None:
    release, scorer = study.facts.release, study.facts.scorer
    if release is None or scorer is None:
        return None
    return {
        "release": release.name,
        "order_policy": release.order_policy,
        "engine": scorer.engine,
        "base": scorer.base,
        "base_digest": scorer.base_digest,
        "adapter_digest": scorer.adapter_digest or None,
        "prompt_hash": scorer.prompt_hash,
        "scoring_hash": scorer.scoring_hash,
        "dtype": scorer.dtype,
        "method": scorer.method,
        "temperatures": {key: one.temperature for key, one in sorted(study.facts.scores.items())},
        "calibrated": study.calibrated,
        "current_since": _time(study.served[0][0].created_at) if study.served else None,
        "texts_scored": {key: len(one.ids) for key, one in sorted(study.facts.scores.items())},
    }


def _tuning(study: Study) -> dict[str, Any] | None:
    """How the adapter in use came about; None where the model is as its makers left it."""
    if study.adapter is None:
        return None
    parts: Mapping[str, Any] = study.adapter.manifest.get("parts", {})
    kept = ("method", "base", "base_digest", "snapshot", "seed", "hyperparameters", "examples", "versions", "created")
    return {
        "adapter_digest": study.adapter.digest,
        "questions": {key: {name: part.get(name) for name in kept} for key, part in sorted(parts.items())},
        "snapshots": [{"hash": one.hash, "rule": one.rule, "frozen": _time(one.created_at)} for one in study.snapshots],
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
