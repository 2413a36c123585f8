"""What only a worker knows of the job that it runs (its id, its tries, how far it is) stays with it, and what a job is given is typed."""

from __future__ import annotations

from pathlib import Path

from triton_migrate import api

WORKERS = """
import logging

import dramatiq
import torch
from celery import Celery, current_task
from dramatiq.middleware import CurrentMessage
from rq import get_current_job

queue = Celery("jobs", broker="redis://localhost/0", backend="redis://localhost/0")
net = torch.jit.load("net.pt")
log = logging.getLogger(__name__)


def tell(step):
    current_task.update_state(state="RUNNING", meta={"step": step})


@queue.task
def told(values):
    x = torch.tensor([values])
    tell(1)
    out = net(x)
    tell(2)
    return int(out.argmax(dim=1)[0])


@queue.task(bind=True)
def bound(self, values):
    x = torch.tensor([values])
    log.info("job %s", self.request.id)
    out = net(x)
    return int(out.argmax(dim=1)[0]) if self.request.retries else -1


@dramatiq.actor
def message(values):
    x = torch.tensor([values])
    found = CurrentMessage.get_current_message()
    log.info("message %s", found.message_id)
    return int(net(x).argmax(dim=1)[0])


def job(values):
    x = torch.tensor([values])
    mine = get_current_job()
    mine.meta["progress"] = 50
    out = net(x)
    mine.meta["progress"] = 100
    mine.save_meta()
    return int(out.argmax(dim=1)[0])
"""
SENDERS = """
from flask import Flask, request
from redis import Redis
from rq import Queue
from tasks import bound, job, message, told

web = Flask(__name__)


@web.post("/jobs")
def jobs():
    values = request.get_json()["x"]
    ids = [told.delay(values).id, bound.delay(values).id, message.send(values).message_id]
    return [*ids, Queue(connection=Redis()).enqueue(job, values).id]
"""


def test_what_only_the_worker_knows_stays_with_it(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(WORKERS)
    (tmp_path / "web.py").write_text(SENDERS)
    report = api.apply(tmp_path, write=True)
    assert report["not_ported"] == []
    tasks = (tmp_path / "tasks.py").read_text()
    stays = ("tell(1)", "tell(2)", "self.request.id", "self.request.retries", "get_current_message()", 'mine.meta["progress"] = 50')
    assert [line for line in stays if line not in tasks] == [] and "triton_models.net(x)" in tasks
    moved = "".join(path.read_text() for path in (tmp_path / "triton_serving/model_repository").rglob("*.py"))
    assert [word for word in ("tell(1)", "get_current_job", "current_task", "CurrentMessage") if word in moved] == []


IN_CONTEXT = """
import logging

import torch
from huey import RedisHuey

huey = RedisHuey("jobs")
net = torch.jit.load("net.pt")
log = logging.getLogger(__name__)


async def startup(ctx):
    ctx["net"] = torch.jit.load("other.pt")


async def told(ctx, values):
    x = torch.tensor([values])
    log.info("job %s", ctx["job_id"])
    out = ctx["net"](x)
    best = int(out.argmax(dim=1)[0])
    return best if ctx["job_try"] == 1 else -best


async def plain(ctx, values):
    return int(ctx["net"](torch.tensor([values])).argmax(dim=1)[0])


@huey.task(context=True)
def mine(values, task=None):
    x = torch.tensor([values])
    log.info("task %s", task.id)
    out = net(x)
    return int(out.argmax(dim=1)[0]) + task.retries


class WorkerSettings:
    functions = [told, plain]
    on_startup = startup
"""
ASKING = """
from arq import create_pool
from fastapi import FastAPI
from tasks import mine

app = FastAPI()


@app.post("/told")
async def of_told(values: list[float]):
    pool = await create_pool()
    return (await pool.enqueue_job("told", values)).job_id


@app.post("/plain")
async def of_plain(values: list[float]):
    pool = await create_pool()
    return (await pool.enqueue_job("plain", values)).job_id


@app.post("/mine")
def of_mine(values: list[float]):
    return mine(values).id
"""


def test_the_context_that_a_worker_hands_to_its_jobs_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(IN_CONTEXT)
    (tmp_path / "web.py").write_text(ASKING)
    report = api.apply(tmp_path, write=True)
    assert report["not_ported"] == []
    tasks = (tmp_path / "tasks.py").read_text()
    stays = ('ctx["job_id"]', 'return best if ctx["job_try"] == 1', 'log.info("task %s", task.id)', "+ task.retries")
    assert [line for line in stays if line not in tasks] == []
    assert [sent for sent in ("CTX=", "TASK=", "pack_json(task)", "torch.jit.load") if sent in tasks] == [], (
        "nor does a worker load a model"
    )
    moved = "".join(path.read_text() for path in (tmp_path / "triton_serving/model_repository").rglob("*.py"))
    assert [word for word in ("ctx", "task.id") if word in moved] == []


BOUND = """
import torch
from celery import Celery
from fastapi import FastAPI

app = FastAPI()
queue = Celery("jobs", broker="redis://localhost/0")
net = torch.jit.load("net.pt")


@queue.task(bind=True, max_retries=3)
def score(self, row, top, name):
    x = torch.tensor([row])
    out = net(x)
    found = out.topk(top).indices[0].tolist()
    return {name: found}


@app.post("/score")
def submit(row: list[float], top: int, name: str):
    return score.delay(row, top, name).id
"""


def test_what_a_bound_task_is_given_follows_the_task_itself(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(BOUND)
    report = api.apply(tmp_path, write=True)
    assert report["not_ported"] == []
    app = (tmp_path / "app.py").read_text()
    assert 'ROW=triton.pack(row, "FP64")' in app and 'TOP=triton.pack(top, "INT64")' in app
