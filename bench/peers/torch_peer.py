"""Workloads in PyTorch. Settings: default, channels_last, compile (torch.compile; inference with frozen weights and channels_last)."""

import os
import shutil

import torch
import torch_kernels
import torch_networks
from shared import Unavailable

torch.set_num_threads(int(os.environ["TRIVIUM_BENCH_THREADS"]))


def versions():
    return {"torch": torch.__version__}


def needs_compiler():
    if not any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "clang++")):
        raise Unavailable("torch.compile needs a C++ compiler (g++), and there is none")


def train_step(name, batch, setting, dropout):
    network, make_optimizer, criterion, x, y = torch_networks.training(name, batch, dropout)
    if setting == "channels_last":
        network, x = network.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    optimizer = make_optimizer(network.parameters())
    if setting == "compile":
        needs_compiler()
        network = torch.compile(network)

    def step():
        optimizer.zero_grad()
        loss = criterion(network(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def infer_step(name, batch, setting):
    network, x = torch_networks.inference(name, batch)
    if setting == "default":

        def plain():
            with torch.no_grad():
                return network(x)

        return plain
    network, x = network.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    if setting == "compile":
        needs_compiler()
        import torch._inductor.config as inductor

        inductor.freezing = True
        network = torch.compile(network)
        # freezing takes no inference tensors, and weights as constants
        def compiled():
            with torch.no_grad():
                return network(x)

        return compiled

    def inferred():
        with torch.inference_mode():
            return network(x)

    return inferred


def workload(suite, name, batch, setting, dropout):
    if setting not in ("default", "channels_last", "compile", "preallocated"):
        raise Unavailable(f"torch has no setting {setting}")
    if suite == "train":
        return train_step(name, batch, setting, dropout)
    if suite == "infer":
        return infer_step(name, batch, setting)
    if suite == "kernels":
        return torch_kernels.step(name, setting)
    if suite == "system":
        number = torch.ones(1)
        return lambda: (number + 1).item()
    raise Unavailable(f"torch runs no suite {suite}")
