"""Run by torchrun: ``torchrun --nproc-per-node NODES -m empirical.distributed FILE.toml --out DIR``."""

import sys

from empirical.distributed.command import main

if __name__ == "__main__":
    sys.exit(main())
