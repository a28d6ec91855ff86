"""An image set as a finite population: which of its images, and the features that a problem sees.

``SET[:PART][:K][:standardised]``, such as ``mnist``, ``mnist:train`` or ``cifar-10:both:5000:standardised``:

* PART: ``train``, ``test`` or ``both`` (left out: both), the training set first.
* K: the first K images of one fixed permutation of the part, so that smaller populations begin larger ones.
* ``standardised``: each feature minus its mean over the population, divided by its standard deviation there (1/size; a
  feature that never changes becomes 0).

Then every feature is divided by the largest row norm. The population *is* the distribution: training sets are drawn from
it with replacement, so its mean loss is the exact population risk.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bounds.errors import DomainError
from empirical.data.folder import data_folder
from empirical.data.images import PARTS, LabelledImages, Part, load_images
from empirical.data.sets import DataSet, data_set
from empirical.streams import stream

_BLOCK = 2048
_STANDARDISED = "standardised"

Features = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Population:
    """Which images of a set are the distribution; ``subset`` None takes the whole part."""

    name: str
    part: Part = "both"
    subset: int | None = None
    standardised: bool = False

    @classmethod
    def parse(cls, text: str) -> Population:
        """The population written ``SET[:PART][:K][:standardised]``.

        Raises:
            UnknownNameError: for an unknown set. DomainError: for other words after it, or in another order.
        """
        name, *words = text.split(":")
        data_set(name)
        rest = list(words)
        part = rest.pop(0) if rest and rest[0] in PARTS else "both"
        digits = bool(rest) and rest[0].isascii() and rest[0].isdigit() and len(rest[0]) < 10
        subset = int(rest.pop(0)) if digits else None
        standardised = rest == [_STANDARDISED]
        if subset == 0 or (rest and not standardised):
            raise DomainError(
                f"got {text!r}; a population is written {name}[:PART][:K][:{_STANDARDISED}], "
                f"PART one of {', '.join(PARTS)} and K a number of images >= 1"
            )
        return cls(name, cast(Part, part), subset, standardised)


def unit_features(rows: NDArray[np.generic], standardised: bool = False) -> Features:
    """``rows`` (size, width) divided by their largest norm, read-only.

    The features are numbers of float32, so that a run in either precision sees exactly the same data and the largest norm
    is 1 up to the rounding of float32; constants are computed from the features themselves.
    """
    features = np.array(rows, dtype=np.float64)
    if standardised:
        _standardise(features)
    # In blocks, because a norm squares all of them at once; each row's sum stays the same.
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(features), _BLOCK)]
    longest = max(float(np.linalg.norm(features[block], axis=1).max()) for block in blocks)
    for block in blocks:
        features[block] = (features[block] / longest).astype(np.float32)
    features.setflags(write=False)
    return features


def _standardise(features: Features) -> None:
    """Subtract each column's mean and divide by its standard deviation (1/size), in place; constant columns become 0."""
    features -= features.mean(axis=0)
    blocks = range(0, len(features), _BLOCK)
    squares = np.sum([np.square(features[start : start + _BLOCK]).sum(axis=0) for start in blocks], axis=0)
    spread = np.sqrt(squares / len(features))
    features /= np.where(spread > 0, spread, 1.0)


def chosen(population: Population, images: LabelledImages) -> tuple[NDArray[np.uint8], Labels]:
    """Bytes (size, width) and labels (size,) of the population's images.

    Raises:
        DomainError: for more images than the part has, or so few that a class is missing.
    """
    rows, labels, k = images.rows(), images.labels, population.subset
    if k is not None:
        if k > len(rows):
            raise DomainError(f"got {k} images of {population.name!r} {population.part}, which has {len(rows)}; take at most that many")
        # One key for all sets and parts: the choice is part of the data, not of a run's randomness.
        picked = stream(0, "population", 0).permutation(len(rows))[:k]
        rows, labels = rows[picked], labels[picked]
    missing = np.flatnonzero(np.bincount(labels, minlength=images.classes) == 0)
    if len(missing):
        raise DomainError(f"got {len(labels)} images of {population.name!r}, none of class {missing[0]}; take more of them")
    return rows, labels


@lru_cache(maxsize=1)
def _features(known: DataSet, population: Population, folder: Path | None) -> tuple[Features, Labels]:
    rows, labels = chosen(population, load_images(known.name, population.part, folder))
    labels.setflags(write=False)
    return unit_features(rows, population.standardised), labels


def features_of(population: Population) -> tuple[Features, Labels]:
    """Features (size, height * width * channels) and labels (size,), read-only; the last population is kept in memory.

    Raises:
        DomainError: see :func:`chosen`. MissingDataError, InputFileError: see :func:`empirical.data.load_images`.
    """
    return _features(data_set(population.name), population, data_folder())
