"""The workloads as PyTorch modules, made of the weights of the tfjs models: `weights["conv1/kernel"]` and so on."""
import torch
from torch import nn


def parameter(tensor):
    return nn.Parameter(tensor.clone().contiguous())


def dense(weights, name, image=None):
    """`image`: channels, height and width of what was flattened before. tfjs has channels last, PyTorch first."""
    kernel = weights[name + "/kernel"]
    if image is not None:
        channels, height, width = image
        kernel = kernel.reshape(height, width, channels, -1).permute(2, 0, 1, 3).reshape(kernel.shape)
    layer = nn.Linear(*kernel.shape)
    layer.weight = parameter(kernel.t())
    layer.bias = parameter(weights[name + "/bias"])
    return layer


def conv(weights, name, padding=0, stride=1):
    kernel = weights[name + "/kernel"].permute(3, 2, 0, 1)
    bias = weights.get(name + "/bias")
    options = {"padding": padding, "stride": stride, "bias": bias is not None}
    layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], kernel.shape[2], **options)
    layer.weight = parameter(kernel)
    if bias is not None:
        layer.bias = parameter(bias)
    return layer


def depthwise(weights, name, stride):
    kernel = weights[name + "/depthwise_kernel"].permute(2, 3, 0, 1)
    channels = kernel.shape[0]
    layer = nn.Conv2d(channels, channels, kernel.shape[2], padding=1, stride=stride, groups=channels, bias=False)
    layer.weight = parameter(kernel)
    return layer


def batch_norm(weights, name):
    """tfjs' defaults: 0.99 of the moving averages is kept, which PyTorch calls a momentum of 0.01."""
    gamma = weights[name + "/gamma"]
    layer = nn.BatchNorm2d(len(gamma), eps=1e-3, momentum=0.01)
    layer.weight = parameter(gamma)
    layer.bias = parameter(weights[name + "/beta"])
    return layer


def lstm(weights, name):
    """Both have the gates in the order input, forget, cell, output. PyTorch's second bias is left at 0."""
    kernel, recurrent = weights[name + "/kernel"], weights[name + "/recurrent_kernel"]
    layer = nn.LSTM(kernel.shape[0], recurrent.shape[0], batch_first=True)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(kernel.t())
        layer.weight_hh_l0.copy_(recurrent.t())
        layer.bias_ih_l0.copy_(weights[name + "/bias"])
        layer.bias_hh_l0.zero_()
    layer.bias_hh_l0.requires_grad_(False)
    return layer


class Mlp(nn.Sequential):
    def __init__(self, weights):
        count = sum(name.endswith("/kernel") for name in weights)
        layers = []
        for i in range(1, count + 1):
            layers += [dense(weights, f"dense{i}"), nn.ReLU()]
        super().__init__(*layers[:-1])


class Cnn(nn.Sequential):
    def __init__(self, weights):
        super().__init__(
            conv(weights, "conv1"), nn.ReLU(), nn.MaxPool2d(2), conv(weights, "conv2"), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), dense(weights, "dense1", image=(64, 5, 5)), nn.ReLU(), dense(weights, "dense2"),
        )


class Vgg(nn.Sequential):
    def __init__(self, weights):
        convs = [[conv(weights, f"conv{i}", padding=1), nn.ReLU()] for i in range(1, 5)]
        super().__init__(
            *convs[0], *convs[1], nn.MaxPool2d(2), *convs[2], *convs[3], nn.MaxPool2d(2),
            nn.Flatten(), dense(weights, "dense1", image=(64, 8, 8)), nn.ReLU(), dense(weights, "dense2"),
        )


class Lstm(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.lstm = lstm(weights, "lstm1")
        self.dense = dense(weights, "dense1")

    def forward(self, x):
        return self.dense(self.lstm(x)[0][:, -1])


class Embedding(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(weights["embedding1/embeddings"].clone(), freeze=False)
        self.dense1 = dense(weights, "dense1")
        self.dense2 = dense(weights, "dense2")

    def forward(self, x):
        return self.dense2(torch.relu(self.dense1(self.embedding(x).mean(1))))


class NormalizedConv(nn.Sequential):
    def __init__(self, weights, index):
        super().__init__(conv(weights, f"conv{index}", padding=1), batch_norm(weights, f"norm{index}"))


class Block(nn.Module):
    def __init__(self, weights, first):
        super().__init__()
        self.inner = nn.Sequential(NormalizedConv(weights, first), nn.ReLU(), NormalizedConv(weights, first + 1))
        skip = f"skip{first}"
        self.skip = conv(weights, skip) if skip + "/kernel" in weights else nn.Identity()

    def forward(self, x):
        return torch.relu(self.skip(x) + self.inner(x))


class ResidualCnn(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.features = nn.Sequential(
            NormalizedConv(weights, 0), nn.ReLU(), Block(weights, 1), nn.MaxPool2d(2), Block(weights, 3), Block(weights, 5)
        )
        self.dense = dense(weights, "dense1")

    def forward(self, x):
        return self.dense(self.features(x).mean((2, 3)))


class MobileNet(nn.Module):
    def __init__(self, weights):
        super().__init__()
        layers = [conv(weights, "conv0", padding=1, stride=2), batch_norm(weights, "norm0"), nn.ReLU()]
        for i in range(1, 5):
            layers += [depthwise(weights, f"depthwise{i}", 2 - i % 2), batch_norm(weights, f"norm{2 * i - 1}"), nn.ReLU()]
            layers += [conv(weights, f"conv{i}"), batch_norm(weights, f"norm{2 * i}"), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.dense = dense(weights, "dense1")

    def forward(self, x):
        return self.dense(self.features(x).mean((2, 3)))


MODELS = {"cnn": Cnn, "vgg": Vgg, "residual-cnn": ResidualCnn, "mobilenet": MobileNet, "lstm": Lstm, "embedding": Embedding}


def build(workload, weights):
    return MODELS.get(workload, Mlp)(weights)
