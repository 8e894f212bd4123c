"""Prints the milliseconds that PyTorch takes for a dense layer's products, forward and backward: the best of 40."""
import time

import torch

x = torch.rand(128, 784)
weight = torch.rand(512, 784, requires_grad=True)
bias = torch.rand(512, requires_grad=True)
best = float("inf")
for _ in range(40):
    started = time.perf_counter()
    torch.nn.functional.linear(x, weight, bias).sum().backward()
    best = min(best, time.perf_counter() - started)
print(best * 1000)
