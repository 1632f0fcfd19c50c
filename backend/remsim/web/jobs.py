"""``/api/v1/jobs``: long work, its progress and its end."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import body_content

bp = Blueprint("jobs", __name__)


def answer_body() -> dict[str, Any]:
    """What the questions of all jobs take."""
    return {"type": "object", "description": "the fields that the job's question names"}


@bp.get("/jobs")
@requires_scope("read")
@describes("The jobs of late, oldest first")
def list_jobs() -> dict[str, Any]:
    """A bounded number of them is remembered."""
    return {"jobs": [job.as_dict() for job in services().router.jobs.recent()]}


@bp.get("/jobs/<job_id>")
@requires_scope("read")
@describes("One job: its state, progress from 0 to 1, result or error")
def show_job(job_id: str) -> dict[str, Any]:
    """Progress is also on the stream, as ``job``."""
    return services().router.jobs.get(job_id).as_dict()


@bp.post("/jobs/<job_id>/abort")
@requires_scope("write")
@describes("Ask a job to end; what it changed is undone")
def abort_job(job_id: str) -> dict[str, Any]:
    """409 when it has ended, or is where stopping would leave a mess (``can_abort``)."""
    job = services().router.jobs.get(job_id)
    job.abort()
    return job.as_dict()


@bp.post("/jobs/<job_id>/confirm")
@requires_scope("write")
@describes("Keep what a job changed, which is undone otherwise")
def confirm_job(job_id: str) -> dict[str, Any]:
    """409 when it does not wait for that."""
    job = services().router.jobs.get(job_id)
    job.confirm()
    return job.as_dict()


@bp.post("/jobs/<job_id>/answer")
@requires_scope("write")
@describes("Answer the question of a job that is asking; the question tells the fields", body_schema=answer_body)
def answer_job(job_id: str) -> dict[str, Any]:
    """409 when it asks nothing."""
    job = services().router.jobs.get(job_id)
    job.answer(body_content())
    return job.as_dict()
