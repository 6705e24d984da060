"""What the benchmark sends: posts, and requests and events shaped like those that Label Studio 1.23 sends."""

from __future__ import annotations

import csv
import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scripts.bench.servers import BenchError

POSTS = Path(__file__).resolve().parents[1] / "posts.csv"
LS_ID, LS_CREATED = 47, 1_795_384_933  # the assisted project, as Label Studio would number and date it
NOW = datetime.fromtimestamp(LS_CREATED, UTC)


def texts(data: Path | None, n: int, seed: int = 0) -> list[str]:
    """`n` distinct posts in random order: of DIR/emotion when there is a folder, else recombined from posts.csv."""
    random_ = random.Random(seed)
    found = list(dict.fromkeys(_real(data) if data else _posts()))
    random_.shuffle(found)
    made = iter(_recombined(found, random_))
    known = set(found)
    while len(found) < n:
        if (text := next(made)) not in known:
            known.add(text)
            found.append(text)
    return found[:n]


def _real(data: Path) -> Iterator[str]:
    files = sorted((data / "emotion").glob("*.csv"))
    if not files:
        raise BenchError(f"There is no emotion/*.csv under {data}; give --data the folder that holds the task folders.")
    for file in files:
        with file.open(encoding="utf-8-sig", newline="") as rows:
            yield from (row["text"] for row in csv.DictReader(rows) if row["text"].strip())


def _posts() -> Iterator[str]:
    with POSTS.open(encoding="utf-8-sig", newline="") as rows:
        yield from (row["text"] for row in csv.DictReader(rows))


def _recombined(posts: Sequence[str], random_: random.Random) -> Iterator[str]:
    """The beginning of one post and the end of another, cut between words, about as long as the posts are."""
    words = [post.split() for post in posts]
    while True:
        one, other = random_.choice(words), random_.choice(words)
        share = random_.random()
        yield " ".join([*one[: round(share * len(one))], *other[round(share * len(other)) :]])


def task(task_id: int, text: str) -> dict[str, Any]:
    """A task as Label Studio serialises it for /predict."""
    at = (NOW + timedelta(seconds=task_id)).isoformat().replace("+00:00", "Z")
    return {
        "id": task_id, "data": {"text": text}, "meta": {}, "created_at": at, "updated_at": at, "is_labeled": False,
        "overlap": 1, "inner_id": task_id, "total_annotations": 0, "cancelled_annotations": 0, "total_predictions": 0,
        "comment_count": 0, "unresolved_comment_count": 0, "last_comment_updated_at": None, "project": LS_ID,
        "updated_by": None, "file_upload": None, "comment_authors": [], "annotations": [], "predictions": [],
    }  # fmt: skip


def predict_body(tasks: Sequence[dict[str, Any]], config: str) -> dict[str, Any]:
    return {
        "tasks": list(tasks),
        "project": f"{LS_ID}.{LS_CREATED}",
        "label_config": config,
        "params": {"login": None, "password": None, "context": None},
    }


def setup_body(config: str) -> dict[str, Any]:
    return {
        "project": f"{LS_ID}.{LS_CREATED}",
        "schema": config,
        "hostname": "http://127.0.0.1:8080",
        "access_token": hashlib.sha1(b"nobody's token").hexdigest(),  # noqa: S324 - only its length matters
        "extra_params": None,
    }


def annotation_created(
    number: int, task_id: int, text: str, config: str, regions: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The event that one submitted answer causes, with all that Label Studio tells along: about 5 kB."""
    at = (NOW + timedelta(seconds=number)).isoformat().replace("+00:00", "Z")
    annotation = {
        "id": number, "result": list(regions), "was_cancelled": False, "ground_truth": False, "created_at": at,
        "updated_at": at, "draft_created_at": None, "lead_time": 12.5, "prediction": {}, "result_count": len(regions),
        "unique_id": f"f04c62e5-0bad-4248-88e1-{number:012d}", "import_id": None, "last_action": None,
        "bulk_created": False, "task": task_id, "project": LS_ID, "completed_by": 1, "updated_by": 1,
        "parent_prediction": None, "parent_annotation": None, "last_created_by": None,
    }  # fmt: skip
    labelled = {**task(task_id, text), "is_labeled": True, "total_annotations": 1}
    return {"action": "ANNOTATION_CREATED", "annotation": annotation, "project": project(config), "task": labelled}


def project(config: str) -> dict[str, Any]:
    """A Label Studio project as its events carry it, parsed configuration and weights included."""
    controls = {
        name: dict.fromkeys(re.findall(r'<Choice [^>]*?value="([^"]*)"', block), 1.0)
        for name, block in re.findall(r'<Choices [^>]*?name="([^"]*)"(.*?)</Choices>', config, re.DOTALL)
    }
    inputs = [{"type": "Text", "valueType": None, "value": "text"}]
    return {
        "id": LS_ID, "task_number": 1500, "finished_task_number": 1, "total_predictions_number": 1500,
        "total_annotations_number": 1, "num_tasks_with_annotations": 1, "useful_annotation_number": 1,
        "ground_truth_number": 0, "skipped_annotations_number": 0, "title": "Posts", "description": "",
        "label_config": config,
        "parsed_label_config": {
            name: {
                "type": "Choices", "to_name": ["text"], "inputs": inputs, "labels": list(labels),
                "labels_attrs": {label: {"value": label} for label in labels},
            }
            for name, labels in controls.items()
        },
        "label_config_hash": 7557745260654636323, "expert_instruction": "", "show_instruction": False,
        "show_skip_button": True, "enable_empty_annotation": True, "reveal_preannotations_interactively": False,
        "show_annotation_history": False, "show_collab_predictions": True, "evaluate_predictions_automatically": False,
        "token": "0" * 40, "result_count": 0, "color": "#FFFFFF", "maximum_annotations": 1,
        "min_annotations_to_start_training": 0,
        "control_weights": {
            name: {"overall": 1.0, "type": "Choices", "labels": labels} for name, labels in controls.items()
        },
        "model_version": "", "data_types": {"text": "Text"}, "is_draft": False, "is_published": False,
        "created_at": NOW.isoformat(), "updated_at": NOW.isoformat(), "sampling": "Sequential sampling",
        "skip_queue": "REQUEUE_FOR_OTHERS", "show_ground_truth_first": False, "annotator_evaluation_enabled": False,
        "show_overlap_first": False, "overlap_cohort_percentage": 100, "task_data_login": None,
        "task_data_password": None, "pinned_at": None, "custom_task_lock_ttl": None, "deleted_at": None,
        "purge_at": None, "search_vector": None, "organization": 1, "created_by": 1, "deleted_by": None,
    }  # fmt: skip
