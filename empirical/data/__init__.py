"""Fashion-MNIST, MNIST and CIFAR-10 from a folder of the user's: checked, loaded, and taken as finite populations."""

from empirical.data.folder import VARIABLE, data_folder, use_folder
from empirical.data.images import LabelledImages, load_images
from empirical.data.population import Population, features_of
from empirical.data.sets import SETS, DataFile, DataSet, Package, data_set

__all__ = [
    "SETS",
    "VARIABLE",
    "DataFile",
    "DataSet",
    "LabelledImages",
    "Package",
    "Population",
    "data_folder",
    "data_set",
    "features_of",
    "load_images",
    "use_folder",
]
