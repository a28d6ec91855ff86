"""Hessian-vector products against gradients, and walkers that leave a basin against a plain Python loop."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from benchmarks.record import Record, load_note, seconds
from bounds.topology import topology
from bounds.vocabulary import UpdateForm
from empirical.curvature import gradient, hessian_vector, module_objective, module_weights
from empirical.exits import DoubleWell, Escape, exit_times

_NODES, _WALKS, _ETA, _NOISE = 8, 2000, 0.1, 6.0


def product_cost() -> Record:
    """One Hessian-vector product of a perceptron with 50890 parameters on 256 samples, in gradients."""
    torch.set_num_threads(1)
    net = nn.Sequential(nn.Linear(784, 64), nn.Tanh(), nn.Linear(64, 10))
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(256, 784, generator=generator), torch.randint(0, 10, (256,), generator=generator)
    objective, weights = module_objective(net, nn.functional.cross_entropy, x, y), module_weights(net)
    vector = torch.ones_like(weights)
    ours = seconds(lambda: hessian_vector(objective, weights, vector), 20)
    peer = seconds(lambda: gradient(objective, weights), 20)
    return Record("Hessian-vector product, 51k parameters", "s, less is better", ours, peer, "one gradient", peer / ours, None, load_note())


def _plain(walks: int) -> None:
    """D-SGD (consensus form) on a ring, walk by walk and step by step."""
    rng, weights = np.random.default_rng(0), topology("ring", _NODES).matrix
    for _ in range(walks):
        x = np.full(_NODES, -1.0)
        while x.mean() < 0:
            x = weights @ x - _ETA * (x**3 - x + math.sqrt(_NOISE) * rng.standard_normal(_NODES))


def exits_rate() -> Record:
    """Exits per second from the double well, eight nodes on a ring, consensus form, network mean past the saddle."""
    torch.set_num_threads(1)
    escape = Escape(
        potential=DoubleWell(),
        update_form=UpdateForm.CONSENSUS,
        m=_NODES,
        eta=_ETA,
        noise=_NOISE,
        horizon=10**6,
        replicates=_WALKS,
    )
    ours = _WALKS / seconds(lambda: exit_times(escape), 3)
    peer = 40 / seconds(lambda: _plain(40), 3)
    note = f"{_WALKS} walks against 40; {load_note()}"
    return Record(
        "exits from a double well, 8 nodes", "exits/s, more is better", ours, peer, "numpy, walk by walk", ours / peer, None, note
    )
