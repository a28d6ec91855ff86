"""The theorems, one file per family; :func:`bounds.get` finds them by id."""
