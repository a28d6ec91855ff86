"""The training engine against one ``nn.Module`` and one optimizer per node in a Python loop."""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.record import Record, load_note, seconds
from bounds.topology import topology
from bounds.vocabulary import UpdateForm
from empirical import Run, trajectory
from empirical.parts import cut
from empirical.problems.registry import problem
from empirical.samples import draw_samples
from empirical.simulation import simulate

_NODES, _STEPS, _REPLICATES, _SAMPLES = 16, 50, 32, 32


def _loop() -> None:
    """One replicate of D-SGD (ATC) on 64-feature, 10-class softmax regression, the way published code runs it."""
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(_NODES, _SAMPLES, 64, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 10, (_NODES, _SAMPLES), generator=generator)
    weights = torch.tensor(topology("ring", _NODES).matrix)
    models = [nn.Linear(64, 10, bias=False, dtype=torch.float64) for _ in range(_NODES)]
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.1) for model in models]
    for step in range(_STEPS):
        for node, (model, optimizer) in enumerate(zip(models, optimizers, strict=True)):
            sample = step % _SAMPLES
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(features[node, sample : sample + 1]), labels[node, sample : sample + 1]).backward()
            optimizer.step()
        with torch.no_grad():
            mixed = weights @ torch.stack([model.weight.flatten() for model in models])
            for model, row in zip(models, mixed, strict=True):
                model.weight.copy_(row.view_as(model.weight))


def softmax_loop_rate() -> float:
    """Node-steps per second of the loop, on as many threads as torch has."""
    return _NODES * _STEPS / seconds(_loop, 3)


def softmax_rate() -> Record:
    """Node-steps per second of softmax regression on digits, ring of 16, one sample a step, float64, one thread."""
    torch.set_num_threads(1)
    run = Run(
        problem="softmax-digits",
        update_form=UpdateForm.ATC,
        m=_NODES,
        n=_SAMPLES,
        T=_STEPS,
        eta=0.1,
        replicates=_REPLICATES,
    )
    ours = _NODES * _STEPS * _REPLICATES / seconds(lambda: trajectory(run, device="cpu"), 3)
    peer = softmax_loop_rate()
    note = f"{_REPLICATES} replicates against 1; {load_note()}"
    return Record(
        "softmax regression, 16 nodes", "node-steps/s, more is better", ours, peer, "one nn.Module per node", ours / peer, None, note
    )


def _train_twins(run: Run, late: bool) -> None:
    place, described = torch.device("cpu"), problem(run.problem)
    samples = draw_samples(run, described)
    with torch.inference_mode():
        for part in cut(run, described, run.twins, None, place):
            for _ in simulate(run, described, samples.lanes(part.rows, part.twins, run.strata), part.replicates, place, late=late):
                pass


def late_forking() -> Record:
    """256 twins for 20 steps, each trained from the step that draws its sample, against all of them from the start."""
    torch.set_num_threads(1)
    run = Run(problem="softmax-digits", update_form=UpdateForm.ATC, m=8, n=32, T=20, eta=0.1, replicates=1, twins=256)
    ours, peer = (seconds(lambda late=late: _train_twins(run, late), 9) for late in (True, False))  # type: ignore[misc]
    note = f"T/n = 0.6, float64, 1 thread; {load_note()}"
    return Record(
        "256 twins forked late", "s, less is better", ours, peer, "the same twins trained from the start", peer / ours, None, note
    )
