"""Models as ``nn.Module``: perceptrons, a small convolutional network and ResNet-20, normalised by groups of channels."""

from empirical.models.checks import check_module
from empirical.models.convolutional import small_cnn
from empirical.models.perceptron import perceptron
from empirical.models.residual import resnet20
from empirical.models.seeding import seeded

__all__ = ["check_module", "perceptron", "resnet20", "seeded", "small_cnn"]
