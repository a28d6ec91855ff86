"""The verifier held to account: false alarms, planted errors, power. Here are the results; :mod:`verify.audit.audit` finds them."""

from verify.audit.results import CLASSES, NOMINAL, PUBLISHED, TRAINING, Audit, Cell, Forecast, Mutant, PowerCell, keeps, why_missed

__all__ = ["CLASSES", "NOMINAL", "PUBLISHED", "TRAINING", "Audit", "Cell", "Forecast", "Mutant", "PowerCell", "keeps", "why_missed"]
