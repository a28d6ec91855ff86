"""What gossip costs: bytes and seconds of a step on stated links, and the cheapest way to a target."""

from bounds.cost.link import SENDS, Link, arrivals, busiest_degree, message_bytes

__all__ = ["SENDS", "Link", "arrivals", "busiest_degree", "message_bytes"]
