"""``python -m gossip_bounds``."""

from gossip_bounds.main import main

if __name__ == "__main__":
    main()
