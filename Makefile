# Every target works on a bare machine with Python >= 3.11: the environment is made when it is missing.
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
TORCH := $(shell sed -n 's/^torch==//p' constraints.txt)
WORKERS ?= 2
# One thread per process: small tensors are slower on two.
export OMP_NUM_THREADS := 1

.PHONY: verify test test-all lint bench docs install clean

install: $(READY)

$(READY): constraints.txt pyproject.toml
	@echo "making $(VENV) (about a minute)"
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install -qq --constraint constraints.txt "torch==$(TORCH)"
	$(VENV)/bin/pip install -qq --constraint constraints.txt --editable . --requirement requirements-dev.txt
	@$(PY) -c "import torch, sys; got = torch.__version__.split('+')[0]; sys.exit(f'torch is {got}, but $(TORCH) was pinned: remove $(VENV) and install again' if got != '$(TORCH)' else 0)"
	@touch $(READY)

verify: $(READY)
	$(VENV)/bin/gossip-bounds verify --out out

test: $(READY)
	$(PY) -m pytest -q -n $(WORKERS) -m "not slow and not browser"

test-all: $(READY)
	$(PY) -m pytest -q -n $(WORKERS)

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: $(READY)
	$(PY) -m benchmarks

# Every warning is an error; nothing is fetched. Then open out/site/index.html.
docs: $(READY)
	$(PY) -m sphinx -q -W --keep-going -d out/site-cache docs out/site

clean:
	rm -rf $(VENV) out build *.egg-info docs/api docs/catalogue docs/benchmarks.rst
