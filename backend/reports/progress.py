"""How far work is, in words."""

from __future__ import annotations

from db.work import Task


def task(job: Task) -> str:
    """'push: 500 of 2,000, 25.0 a second, 60 s left'."""
    if job.state == "queued":
        return f"{job.kind}: waits"
    total = f" of {job.total:,}" if job.total is not None else ""
    rate = f", {job.rate:,.1f} a second" if job.rate else ""
    left = f", {span(job.seconds_left)} left" if job.seconds_left is not None else ""
    return f"{job.kind}: {job.done:,}{total}{rate}{left}"


def span(seconds: float) -> str:
    """'40 s', '12 min', '3.5 h'."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
