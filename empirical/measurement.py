"""What a run hands to the statistics: replicated values and the setting that produced them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bounds.setting import LossClass, Setting
from bounds.vocabulary import Quantity, Readout, UpdateForm
from empirical.configuration import Run
from empirical.problems.base import Problem

if TYPE_CHECKING:
    import pandas
    import xarray


@dataclass(frozen=True, eq=False)
class Measurement:
    """One quantity, read at one step, with its replicate axis kept.

    Attributes:
        values: float64, (replicates,), or (replicates, m) for the worst node, whose expectation over replicates comes
            before its maximum over nodes. Replicates are independent and identically distributed.
        setting: what ran, with T the step of the reading.
        subset_error: stabilities: (replicates,) standard errors of ``values`` as estimates of the same mean over all m*n
            twins, from the spread of the k twins of each replicate (see :func:`empirical.subsets.subset_error`); 0 for all
            of them, NaN for a single one of more. The values' own spread over replicates contains it already. None for
            whatever is not read from twins: a generalization error is exact on all samples and the whole population.
    """

    quantity: Quantity
    readout: Readout
    values: NDArray[np.float64]
    setting: Setting
    subset_error: NDArray[np.float64] | None = None

    def to_xarray(self) -> xarray.DataArray:
        """The values over the dimensions ``replicate`` (and ``node`` for the worst node), with the setting's facts as attributes."""
        import xarray

        facts = {name: value for name, value in self.setting.facts().items() if isinstance(value, int | float | str)}
        names = ("replicate", "node")[: self.values.ndim]
        return xarray.DataArray(self.values, dims=names, name=self.quantity.value, attrs={**facts, "readout": self.readout.value})

    def to_pandas(self) -> pandas.DataFrame:
        """One row per replicate (and node)."""
        return self.to_xarray().to_dataframe().reset_index() if self.values.ndim > 1 else self._frame()

    def _frame(self) -> pandas.DataFrame:
        import pandas

        columns = {"replicate": np.arange(len(self.values)), self.quantity.value: self.values}
        return pandas.DataFrame(columns if self.subset_error is None else columns | {"subset_error": self.subset_error})

    def _repr_html_(self) -> str:
        return str(self.to_pandas().to_html(index=False, max_rows=10))


def _conditions(run: Run, problem: Problem) -> dict[str, float | int | bool | str]:
    known: dict[str, float | int | bool | str] = {"problem": run.problem, "data": run.data, "split": run.split, "seed": run.seed}
    known |= {"precision": run.precision, "replicates": run.replicates, "twins": run.twins}
    known |= {} if run.dirichlet_alpha is None else {"dirichlet_alpha": run.dirichlet_alpha}
    known |= {} if run.one_mixing else {"graphs": run.graphs, "gossip_every": run.gossip_every}
    return known | ({"twin_replacement": problem.replacement} if run.twins else {})


def describe(run: Run, problem: Problem, loss: LossClass, readout: Readout, step: int) -> Setting:
    """The setting of ``run`` read at ``step``.

    A centralized run has no network, n = N samples, and, when stratified, batches of m*b. With graphs that change, or local
    steps, the network is that of ``topology``, and no theorem about one mixing matrix applies.
    """
    centralized = run.update_form is UpdateForm.CENTRALIZED
    return Setting(
        update_form=run.update_form,
        readout=readout,
        n=run.m * run.n if centralized else run.n,
        T=step,
        schedule=run.schedule,
        loss=loss,
        network=None if centralized else run.base_mixing().network(run.Q),
        b=run.m * run.b if run.sampling == "stratified" else run.b,
        Q=1 if centralized else run.Q,
        sampling=run.sampling,
        projection_radius=run.radius,
        common_start=True,
        t0=run.t0,
        one_mixing=run.one_mixing,
        conditions=_conditions(run, problem),
    )
