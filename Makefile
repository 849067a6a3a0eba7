PYTHON ?= python3
BIN := .venv/bin
RUN := runs/demo
SMALL := runs/savedmodel
# A network that two cores train in minutes.
LIGHT := --backbone_options='{"widths": [32, 64, 128, 128], "stem_strides": 4}' \
	--head_filters=32 --supervised_views=2 --batch_size=4 --learning_rate=3e-3
export TF_CPP_MIN_LOG_LEVEL ?= 3
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export NO_MKDOCS_2_WARNING := 1

.PHONY: help venv demo savedmodel test check pytest docs clean

help: ## show this help
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/'

venv: .venv/ready ## create .venv with everything demo, tests and docs need

.venv/ready: setup.py
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[dev,docs,serving,onnx,openvino,litert]'
	touch $@

demo: venv ## train on Rooms with one label an image, evaluate, predict, export
	@echo 'Training with label_restoration, the default: on Rooms it is better'
	@echo 'than joint_task, the method of the paper; see docs/benchmark.md.'
	$(BIN)/jtr train --workdir=$(RUN) --epochs=12 $(LIGHT)
	$(BIN)/python examples/trivial_predictions.py $(RUN)
	$(BIN)/jtr predict --model=$(RUN) --output=$(RUN)/predictions docs/images/room.jpg
	$(BIN)/jtr export --model=$(RUN) --output=savedmodels/demo

savedmodel: venv ## train the small model of savedmodels/rooms, export, predict
	$(BIN)/jtr train --workdir=$(SMALL) --epochs=24 --picture_every=6 $(LIGHT)
	$(BIN)/jtr export --model=$(SMALL) --output=savedmodels/rooms
	$(BIN)/jtr predict --model=savedmodels/rooms --output=$(SMALL)/predictions docs/images/room.jpg

check: venv ## linters, types and the layers of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: venv ## build the documentation into build/site
	$(BIN)/mkdocs build --strict --site-dir build/site

pytest: venv
	$(BIN)/python -m pytest -n 2 --dist loadfile --durations=20

test: check docs pytest ## everything that CI runs

clean: ## remove what can be made again
	rm -rf .venv build runs savedmodels/demo *.egg-info
