"""Workloads in PyTorch. Settings: default, channels_last."""

import os

import seeds_cnn
import torch
from torch import nn

torch.set_num_threads(int(os.environ["TRIVIUM_BENCH_THREADS"]))


def versions():
    return {"torch": torch.__version__}


class SeedsNetwork(nn.Module):
    """The Keras network of the seeds; its flatten order is Keras's (channels last), so that one set of weights serves both."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.dense1 = nn.Linear(9216, 1024)
        self.dense2 = nn.Linear(1024, 10)

    def forward(self, x):
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        x = torch.max_pool2d(x, 2)
        x = torch.flatten(x, 1)
        return self.dense2(torch.relu(self.dense1(x)))


def seeds_cnn_step(batch, setting):
    network = SeedsNetwork()
    conv1, conv2, dense1, dense2 = (torch.from_numpy(k) for k in seeds_cnn.kernels())
    with torch.no_grad():
        network.conv1.weight.copy_(conv1.permute(3, 2, 0, 1))
        network.conv2.weight.copy_(conv2.permute(3, 2, 0, 1))
        # Keras flattens (row, column, channel), torch (channel, row, column): reorder the rows of the kernel once.
        network.dense1.weight.copy_(dense1.reshape(12, 12, 64, 1024).permute(3, 2, 0, 1).reshape(1024, 9216))
        network.dense2.weight.copy_(dense2.t())
        for layer in (network.conv1, network.conv2, network.dense1, network.dense2):
            layer.bias.zero_()
    images, labels = seeds_cnn.batch_of(batch)
    x, y = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(labels)
    if setting == "channels_last":
        network = network.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=seeds_cnn.LEARNING_RATE)
    criterion = nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad()
        loss = criterion(network(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def workload(name, batch, setting):
    if name == "seeds-cnn" and setting in ("default", "channels_last"):
        return seeds_cnn_step(batch, setting)
    raise ValueError(f"torch peer has no workload {name} with setting {setting}")
