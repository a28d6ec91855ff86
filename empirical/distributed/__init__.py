"""One decentralized run with one process per node, over torch.distributed."""

from empirical.distributed.checkpoints import Checkpoints
from empirical.distributed.neighbours import NodeGossip
from empirical.distributed.outcome import Outcome, distributed_key
from empirical.distributed.peers import Peers
from empirical.distributed.throttle import Throttle
from empirical.distributed.training import Node, train

__all__ = ["Checkpoints", "Node", "NodeGossip", "Outcome", "Peers", "Throttle", "distributed_key", "train"]
