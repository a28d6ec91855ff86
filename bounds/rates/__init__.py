"""Rates and limits: the order of a bound in one parameter, by an order calculus on the expression tree, and what the bound tends to.

Every answer is checked against the bound's exact value.
"""

from bounds.rates.limit import Limit, limit
from bounds.rates.rate import Rate, rate

__all__ = ["Limit", "Rate", "limit", "rate"]
