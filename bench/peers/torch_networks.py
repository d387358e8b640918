"""Networks with their weights and data as PyTorch modules: what the peers torch (trains and infers) and ort (exports) share."""

import shared
import torch
import torchvision
from torch import nn
from torch.nn import functional as F


class SeedsNetwork(nn.Module):
    """The Keras network of the seeds; its weights are reordered once, so that one set serves both."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.dense1 = nn.Linear(9216, 1024)
        self.dense2 = nn.Linear(1024, 10)
        conv1, conv2, dense1, dense2 = (torch.from_numpy(k) for k in shared.keras_weights("seeds-cnn"))
        with torch.no_grad():
            self.conv1.weight.copy_(conv1.permute(3, 2, 0, 1))
            self.conv2.weight.copy_(conv2.permute(3, 2, 0, 1))
            self.dense1.weight.copy_(rows_channels_first(dense1, 12, 12, 64))
            self.dense2.weight.copy_(dense2.t())
            for layer in (self.conv1, self.conv2, self.dense1, self.dense2):
                layer.bias.zero_()

    def forward(self, x):
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        x = torch.max_pool2d(x, 2)
        x = torch.flatten(x, 1)
        return self.dense2(torch.relu(self.dense1(x)))


def rows_channels_first(kernel, height, width, channels):
    """Keras flattens (row, column, channel), torch (channel, row, column): a dense kernel as a torch weight."""
    outputs = kernel.shape[1]
    return kernel.reshape(height, width, channels, outputs).permute(3, 2, 0, 1).reshape(outputs, -1)


class CifarNetwork(nn.Module):
    def __init__(self, dropout):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 50, 3, padding=1), nn.Conv2d(50, 50, 3, padding=1)
        self.conv3, self.conv4 = nn.Conv2d(50, 100, 3, padding=1), nn.Conv2d(100, 100, 3, padding=1)
        self.dense1, self.dense2 = nn.Linear(6400, 512), nn.Linear(512, 10)
        self.drop1, self.drop2 = nn.Dropout(0.25 if dropout else 0.0), nn.Dropout(0.25 if dropout else 0.0)
        self.drop3 = nn.Dropout(0.5 if dropout else 0.0)
        weights = [torch.from_numpy(w) for w in shared.keras_weights("cifar-cnn")]
        layers = (self.conv1, self.conv2, self.conv3, self.conv4, self.dense1, self.dense2)
        with torch.no_grad():
            for layer, kernel, bias in zip(layers, weights[::2], weights[1::2]):
                if layer is self.dense1:
                    kernel = rows_channels_first(kernel, 8, 8, 100)
                layer.weight.copy_(kernel.permute(3, 2, 0, 1) if kernel.dim() == 4 else kernel if layer is self.dense1 else kernel.t())
                layer.bias.copy_(bias)

    def forward(self, x):
        x = self.drop1(F.max_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2))
        x = self.drop2(F.max_pool2d(F.relu(self.conv4(F.relu(self.conv3(x)))), 2))
        x = self.drop3(F.relu(self.dense1(torch.flatten(x, 1))))
        return self.dense2(x)


class GruNetwork(nn.Module):
    """Gates of Keras are (update, reset, candidate), those of torch (reset, update, candidate); Keras's update gate keeps the same side."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(30000, 125)
        self.gru = nn.GRU(125, 100, batch_first=True)
        self.dense = nn.Linear(100, 2)
        embedding, kernel, recurrent, _, dense, _ = (torch.from_numpy(w) for w in shared.keras_weights("imdb-gru"))

        def gates(weights):
            update, reset, candidate = weights.t().split(100)
            return torch.cat([reset, update, candidate])

        with torch.no_grad():
            self.embedding.weight.copy_(embedding)
            self.gru.weight_ih_l0.copy_(gates(kernel))
            self.gru.weight_hh_l0.copy_(gates(recurrent))
            self.dense.weight.copy_(dense.t())
            for bias in (self.gru.bias_ih_l0, self.gru.bias_hh_l0, self.dense.bias):
                bias.zero_()

    def forward(self, words):
        states, _ = self.gru(self.embedding(words))
        return self.dense(states[:, -1])


class SmallImageNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.fc = nn.Linear(1024, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(x, 1)
        return F.log_softmax(self.fc(torch.flatten(x, 1)), dim=1)


def filled(module):
    """Gives a module the weights that its names stand for."""
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                tensor.copy_(torch.from_numpy(shared.values_of(name, tuple(tensor.shape))))
    return module


def tensors(*arrays):
    return tuple(torch.from_numpy(a if a.dtype.kind == "f" else a.astype("int64")) for a in arrays)


def sgd(parameters, **options):
    return torch.optim.SGD(parameters, lr=0.01, **options)


def training(name, batch, dropout):
    """Module, optimizer maker, criterion, inputs and targets of a training workload."""
    criterion = nn.CrossEntropyLoss()
    if name in ("seeds-cnn", "cifar-cnn"):
        images, labels = shared.keras_data(name, batch)
        x, y = tensors(images, labels)
        x = x.permute(0, 3, 1, 2).contiguous()
        if name == "seeds-cnn":
            return SeedsNetwork(), sgd, criterion, x, y
        return CifarNetwork(dropout), lambda p: sgd(p, momentum=0.9), criterion, x, y
    if name == "imdb-gru":
        return GruNetwork(), lambda p: torch.optim.Adam(p, lr=1e-3, eps=1e-7), criterion, *tensors(*shared.keras_data(name, batch))
    if name == "seeds-8x8":
        x, y = shared.data("small-images", (batch, 1, 8, 8), -1, 1), shared.classes("small-labels", (batch,), 10)
        return filled(SmallImageNetwork()), sgd, criterion, *tensors(x, y)
    if name == "resnet18-32px":
        x, y = shared.data("resnet-images", (batch, 3, 32, 32), -1, 1), shared.classes("resnet-labels", (batch,), 10)
        return filled(torchvision.models.resnet18(num_classes=10)), sgd, criterion, *tensors(x, y)
    if name == "transformer-layer":
        module = filled(nn.TransformerEncoderLayer(256, 4, 1024, dropout=0.0, batch_first=True))
        x = shared.data("transformer-input", (batch, 128, 256), -1, 1)
        y = shared.data("transformer-target", (batch, 128, 256), -1, 1)
        return module, torch.optim.AdamW, nn.MSELoss(), *tensors(x, y)
    if name in ("tiny-mlp-eager", "tiny-mlp-compiled"):
        module = filled(nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10)))
        x, y = shared.data("mlp-images", (batch, 784)), shared.classes("mlp-labels", (batch,), 10)
        return module, sgd, criterion, *tensors(x, y)
    raise shared.Unavailable(f"no training workload {name}")


def inference(name, batch):
    """Module in evaluation mode and its input."""
    if name == "seeds-cnn":
        images, _ = shared.mnist(batch)
        return SeedsNetwork().eval(), torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    module = filled(torchvision.models.get_model(name, weights=None)).eval()
    return module, torch.from_numpy(shared.data("images", (batch, 3, 224, 224), -1, 1))
