"""Speed against a named peer, measured in the same run; ``make bench`` writes ``benchmarks/results.json``."""
