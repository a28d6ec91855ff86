"""Which of two bounds is smaller, proved over boxes or shown by witnesses, and where they cross."""

from bounds.comparison.compare import compare
from bounds.comparison.comparison import Comparison, Crossing
from bounds.comparison.comparison import Witness as OrderWitness
from bounds.comparison.plane import Plane, crossover

__all__ = ["Comparison", "Crossing", "OrderWitness", "Plane", "compare", "crossover"]
