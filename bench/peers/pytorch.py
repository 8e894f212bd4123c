"""PyTorch as a peer: `pytorch.py FOLDER` trains the task in FOLDER as asked on standard input (see protocol.ts).

Threads are set from outside, before torch is imported: OMP_NUM_THREADS, OPENBLAS_NUM_THREADS. With WORLD_SIZE, RANK,
MASTER_ADDR and MASTER_PORT it is one process of DistributedDataParallel (gloo): all are asked alike, rank 0 answers.
"""
import json
import os
import sys
import time

import torch
import torch.distributed as dist
from torch import nn
from torch_models import build

RANK = int(os.environ.get("RANK", 0))
PROCESSES = int(os.environ.get("WORLD_SIZE", 1))


def now():
    return time.perf_counter() * 1000


def load(folder, spec):
    with open(os.path.join(folder, spec["file"]), "rb") as file:
        values = torch.frombuffer(bytearray(file.read()), dtype=getattr(torch, spec["dtype"]))
    return values.reshape(spec["shape"])


class Task:
    def __init__(self, folder):
        with open(os.path.join(folder, "task.json")) as file:
            self.spec = json.load(file)
        self.weights = {spec["name"]: load(folder, spec) for spec in self.spec["weights"]}
        self.x, self.y = load(folder, self.spec["x"]), load(folder, self.spec["y"])
        if self.x.dim() == 4:  # channels last, as tfjs has them
            self.x = self.x.permute(0, 3, 1, 2).contiguous()
        self.loss = nn.MSELoss()
        if self.y.shape[1] > 1:
            self.y, self.loss = self.y.argmax(1), nn.CrossEntropyLoss()

    def model(self):
        return build(self.spec["workload"], self.weights)


class Training:
    """One training from the initial weights. Each process computes the mean loss of its rows of a mini-batch."""

    def __init__(self, task, model):
        self.task = task
        self.model = nn.parallel.DistributedDataParallel(model) if PROCESSES > 1 else model
        trained = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.SGD(trained, lr=task.spec["learningRate"], momentum=task.spec["momentum"])

    def update(self, step):
        batch, rows = self.task.spec["batchSize"], self.task.spec["rows"]
        first = step * batch % rows
        mine = slice(first + batch * RANK // PROCESSES, first + batch * (RANK + 1) // PROCESSES)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.task.loss(self.model(self.task.x[mine]), self.task.y[mine])
        # The mean over processes, which DDP takes, is the mean over rows only if each counts by its rows.
        share = (mine.stop - mine.start) * PROCESSES / batch
        (loss if share == 1 else loss * share).backward()
        self.optimizer.step()
        return loss.item() * share


def mean_over_processes(value):
    if PROCESSES == 1:
        return value
    total = torch.tensor(value)
    dist.all_reduce(total)
    return total.item() / PROCESSES


def begin(task):
    model = task.model()
    if PROCESSES > 1:
        dist.barrier()
    started = now()
    return Training(task, model), started


def check(task, updates, limit):
    training, started = begin(task)
    losses, ends = [], []
    for step in range(updates):
        losses.append(training.update(step))
        ends.append(now() - started)
        if mean_over_processes(ends[-1]) > limit:
            break
    losses = [mean_over_processes(loss) for loss in losses]
    return {"losses": losses, "milliseconds": [b - a for a, b in zip([0] + ends, ends)], "first": ends[0]}


def run(task, updates):
    training, called = begin(task)
    started = now()
    training.update(0)
    first = now() - called
    for step in range(1, updates):
        training.update(step)
    return {"updates": updates, "training": now() - started, "first": first}


def answer(value):
    if RANK == 0:
        print(json.dumps(value), flush=True)


def main():
    # Its remedy for velocities of silent units, which shrink to numbers that many processors are slow with; not its default.
    torch.set_flush_denormal(True)
    task = Task(sys.argv[1])
    if PROCESSES > 1:
        dist.init_process_group("gloo")
    answer({"ready": f"torch {torch.__version__}"})
    for line in sys.stdin:
        request = json.loads(line)
        answer(run(task, request["run"]) if "run" in request else check(task, request["check"], request["limit"]))


main()
