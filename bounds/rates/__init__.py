"""Rates: the order of a bound in one parameter, by an order calculus on the expression tree and a numeric check of its answer."""

from bounds.rates.rate import Rate, rate

__all__ = ["Rate", "rate"]
