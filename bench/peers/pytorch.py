"""Trains one workload in PyTorch and prints one JSON line: milliseconds per update, loss of the last epoch.

    python3 pytorch.py WORKLOAD BATCH ROWS EPOCHS [--ddp PROCESSES]

WORKLOAD is sizes joined by '-' (a dense network, softmax and cross-entropy; squared error if the last is 1) or 'cnn'.
Threads are set from outside, before torch is imported: OMP_NUM_THREADS, OPENBLAS_NUM_THREADS.
"""
import json
import os
import sys
import time

import torch
from torch import nn


def build(workload):
    if workload == "cnn":
        return nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10),
        )
    sizes = [int(size) for size in workload.split("-")]
    layers = []
    for i in range(len(sizes) - 1):
        layers.append(nn.Linear(sizes[i], sizes[i + 1]))
        if i < len(sizes) - 2:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def data(workload, rows):
    if workload == "cnn":
        return torch.rand(rows, 1, 28, 28), torch.randint(0, 10, (rows,))
    sizes = [int(size) for size in workload.split("-")]
    y = torch.randn(rows, 1) if sizes[-1] == 1 else torch.randint(0, sizes[-1], (rows,))
    return torch.rand(rows, sizes[0]), y


def train(model, x, y, batch, epochs, rank, processes):
    loss_of = nn.MSELoss() if y.dim() == 2 else nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    share = batch // processes
    started = time.perf_counter()
    updates = 0
    for _ in range(epochs):
        total = 0.0
        for first in range(0, len(x) - batch + 1, batch):
            mine = slice(first + rank * share, first + (rank + 1) * share)
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(model(x[mine]), y[mine])
            loss.backward()
            optimizer.step()
            total += loss.item()
            updates += 1
    return (time.perf_counter() - started) * 1000 / updates, total / (len(x) // batch)


def worker(rank, processes, workload, batch, rows, epochs):
    torch.manual_seed(1)
    model = build(workload)
    x, y = data(workload, rows)
    if processes > 1:
        import torch.distributed as dist

        dist.init_process_group("gloo", rank=rank, world_size=processes)
        model = nn.parallel.DistributedDataParallel(model)
    train(model, x[: 4 * batch], y[: 4 * batch], batch, 1, rank, processes)
    step, loss = train(model, x, y, batch, epochs, rank, processes)
    if rank == 0:
        print(json.dumps({"step": step, "loss": loss}), flush=True)


if __name__ == "__main__":
    workload, batch, rows, epochs = sys.argv[1], *map(int, sys.argv[2:5])
    if "--ddp" in sys.argv:
        processes = int(sys.argv[sys.argv.index("--ddp") + 1])
        os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
        os.environ.setdefault("MASTER_PORT", str(20000 + os.getpid() % 20000))
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        torch.multiprocessing.spawn(worker, (processes, workload, batch, rows, epochs), nprocs=processes)
    else:
        worker(0, 1, workload, batch, rows, epochs)
