"""A labelled image set in memory: bytes until somebody asks for numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bounds.errors import DomainError, InputFileError, unknown_name
from empirical.data.folder import read_file
from empirical.data.formats import parse_idx, parse_labels, parse_strip
from empirical.data.sets import DataFile, DataSet, data_set

Part = Literal["train", "test", "both"]
PARTS: tuple[str, ...] = get_args(Part)


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images and their classes.

    Attributes:
        images: (size, height, width, channels) bytes, 0 to 255. labels: (size,) integers 0..``classes``-1.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: int

    def rows(self) -> NDArray[np.uint8]:
        """The bytes as (size, height * width * channels): pixel by pixel, row by row, the channels of a pixel together."""
        return self.images.reshape(len(self.images), -1)

    def pixels(self, dtype: DTypeLike = np.float64) -> NDArray[np.floating]:
        """:meth:`rows` divided by 255, in [0, 1].

        Raises:
            DomainError: for a type that is neither float32 nor float64.
        """
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise DomainError(f"got dtype={np.dtype(dtype).name!r}; pixels are float32 or float64")
        return np.divide(self.rows(), 255, dtype=np.dtype(dtype))


def _pictures(known: DataSet, files: tuple[DataFile, ...], folder: Path | None) -> NDArray[np.uint8]:
    parse = parse_idx if known.layout == "idx" else parse_strip
    pieces = [parse(read_file(known, file, folder), file.name) for file in files]
    images = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    if known.layout == "idx" and images.ndim != 3:
        raise InputFileError(f"{files[0].name!r} has {images.ndim} axes; images have 3: (size, height, width)")
    return images[..., None] if images.ndim == 3 else images


def _classes(known: DataSet, file: DataFile, folder: Path | None) -> NDArray[np.int64]:
    content = read_file(known, file, folder)
    labels = (parse_idx(content, file.name) if known.layout == "idx" else parse_labels(content, file.name)).astype(np.int64)
    if labels.ndim != 1 or (labels >= known.classes).any():
        raise InputFileError(f"{file.name!r} holds no list of classes 0..{known.classes - 1}; get the file again")
    return labels


def load_images(name: str, part: Part = "both", folder: str | Path | None = None) -> LabelledImages:
    """The training set of ``name``, its test set, or both, the training set first.

    Args:
        folder: where the sets lie, each in a folder of its name; None for the environment's, see :mod:`empirical.data.folder`.

    Raises:
        UnknownNameError: for an unknown set or part.
        MissingDataError: when a file is absent; InputFileError: when one is not the file it should be.
    """
    known, place = data_set(name), None if folder is None else Path(folder)
    if part not in PARTS:
        raise unknown_name("part", part, PARTS)
    wanted = [
        (images, labels)
        for which, images, labels in (("train", known.train, known.train_labels), ("test", known.test, known.test_labels))
        if part in (which, "both")
    ]
    images = [_pictures(known, files, place) for files, _ in wanted]
    labels = [_classes(known, file, place) for _, file in wanted]
    for (_, file), pictures, found in zip(wanted, images, labels, strict=True):
        if len(pictures) != len(found):
            raise InputFileError(f"{file.name!r} has {len(found)} labels for {len(pictures)} images; get the files again")
    return LabelledImages(known.name, np.concatenate(images), np.concatenate(labels), known.classes)
