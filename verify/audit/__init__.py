"""The verifier held to account: false alarms, planted errors, power."""

from verify.audit.alarms import NOMINAL, PUBLISHED, TRAINING, Cell, keeps
from verify.audit.audit import CLASSES, QUICK_TRIALS, TRIALS, Audit, run_audit, why_missed
from verify.audit.mutants import Mutant
from verify.audit.power import Forecast, PowerCell

__all__ = [
    "CLASSES",
    "NOMINAL",
    "PUBLISHED",
    "QUICK_TRIALS",
    "TRAINING",
    "TRIALS",
    "Audit",
    "Cell",
    "Forecast",
    "Mutant",
    "PowerCell",
    "keeps",
    "run_audit",
    "why_missed",
]
