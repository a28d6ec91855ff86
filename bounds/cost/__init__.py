"""What gossip costs: bytes and seconds of a step on stated links, and the cheapest way to a target."""

from bounds.cost.link import SENDS, Link, arrivals, busiest_degree, message_bytes
from bounds.cost.planning import BATCHES, GRAPHS, Plan, Workload, plans

__all__ = ["BATCHES", "GRAPHS", "SENDS", "Link", "Plan", "Workload", "arrivals", "busiest_degree", "message_bytes", "plans"]
