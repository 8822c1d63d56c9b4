"""PyTorch eager with its fused optimizer: one network, and K of them by ``torch.func.vmap``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear, relu

from benchmarks.training.contestant import Outcome
from benchmarks.training.work import Work

__all__ = ["Eager", "Vmap"]

# Elements of the widest layer's activations evaluated at once: they stay in the processor's cache.
_EVALUATED_AT_ONCE = 2**18


class Eager:
    """Modules, autograd and ``Adam(fused=True)``; batches are views of rows shuffled once an epoch.

    No ``DataLoader``, which costs more than a small network's step.
    """

    name = "PyTorch eager, fused Adam"

    def __init__(self, work: Work) -> None:
        torch.set_num_threads(1)
        self.work = work
        self.train = _tensors(*work.train_part)
        self.validation = _tensors(*work.validation_part)
        self.orders = torch.from_numpy(work.orders[0])

    def run(self) -> Outcome:
        """Train and evaluate after each epoch."""
        shape, widest = self.work.shape, max(self.work.widths)
        model = _model(self.work)
        optimizer = torch.optim.Adam(model.parameters(), lr=shape.learning_rate, fused=True)
        (x, labels), figures = self.train, []
        for order in self.orders:
            shuffled = x.index_select(0, order), labels.index_select(0, order)
            batches = zip(*(part.split(shape.batch_size) for part in shuffled), strict=True)
            for x_batch, labels_batch in batches:
                loss = cross_entropy(model(x_batch), labels_batch)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
            parts = (self.train, self.validation)
            figures.append([f for part in parts for f in _evaluate(model, *part, widest)])
        return Outcome.of(figures)


class Vmap:
    """K networks: ``vmap`` of ``grad`` over stacked parameters, one fused Adam for all."""

    name = "PyTorch func.vmap, fused Adam"

    def __init__(self, work: Work) -> None:
        torch.set_num_threads(1)
        self.work = work
        self.train = _tensors(*work.train_part)
        self.validation = _tensors(*work.validation_part)
        # Epochs first: [epochs, K, n].
        self.orders = torch.from_numpy(work.orders).swapaxes(0, 1).contiguous()

    def run(self) -> Outcome:
        """Train and evaluate all networks after each epoch."""
        shape = self.work.shape
        parameters = [torch.from_numpy(part) for layer in self.work.layers() for part in layer]
        optimizer = torch.optim.Adam(parameters, lr=shape.learning_rate, fused=True)
        gradients = torch.func.vmap(torch.func.grad(_loss))
        evaluate = torch.func.vmap(_loss_and_accuracy, in_dims=(0, None, None))
        (x, labels), figures = self.train, []
        for order in self.orders:
            shuffled = x[order], labels[order]
            batches = zip(*(part.split(shape.batch_size, dim=1) for part in shuffled), strict=True)
            for x_batch, labels_batch in batches:
                found = gradients(parameters, x_batch, labels_batch)
                for parameter, gradient in zip(parameters, found, strict=True):
                    parameter.grad = gradient
                optimizer.step()
            with torch.inference_mode():
                figures.append(
                    torch.stack(
                        [
                            *evaluate(parameters, *self.train),
                            *evaluate(parameters, *self.validation),
                        ]
                    )
                )
        return Outcome.of(torch.stack(figures))


def _tensors(x: Any, labels: Any) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(x), torch.from_numpy(labels)


def _model(work: Work) -> nn.Sequential:
    """Return the network at its initial parameters."""
    modules: list[nn.Module] = []
    for weights, biases in work.layers():
        _, n_out, n_in = weights.shape
        layer = nn.utils.skip_init(nn.Linear, n_in, n_out)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weights[0]))
            layer.bias.copy_(torch.from_numpy(biases[0]))
        modules += [layer, nn.ReLU()]
    return nn.Sequential(*modules[:-1])


def _evaluate(
    model: Callable[[Tensor], Tensor], x: Tensor, labels: Tensor, widest: int
) -> tuple[float, float]:
    """Return mean loss and accuracy."""
    loss = hits = 0.0
    with torch.inference_mode():
        rows = max(512, _EVALUATED_AT_ONCE // widest)
        for x_chunk, labels_chunk in zip(x.split(rows), labels.split(rows), strict=True):
            logits = model(x_chunk)
            loss += cross_entropy(logits, labels_chunk, reduction="sum").item()
            hits += (logits.argmax(1) == labels_chunk).sum().item()
    return loss / len(x), hits / len(x)


def _logits(parameters: list[Tensor], x: Tensor) -> Tensor:
    *hidden, weights, biases = parameters
    for i in range(0, len(hidden), 2):
        x = relu(linear(x, hidden[i], hidden[i + 1]))
    return linear(x, weights, biases)


def _loss(parameters: list[Tensor], x: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(_logits(parameters, x), labels)


def _loss_and_accuracy(
    parameters: list[Tensor], x: Tensor, labels: Tensor
) -> tuple[Tensor, Tensor]:
    logits = _logits(parameters, x)
    return cross_entropy(logits, labels), (logits.argmax(1) == labels).float().mean()
