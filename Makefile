# 产学研智能匹配平台. `make run` and `make test` do everything on a machine with Python, pip, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
# Elsewhere than on a machine with a CPU index, e.g.:
#   make run PIP_FLAGS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_FLAGS ?=
# Tests that need no browser run in this many processes; PYTEST_FLAGS="-k store" and the like choose among all tests.
WORKERS ?= 2
PYTEST_FLAGS ?=
# One thread a process in the first step: more would only take the cores from one another.
# 5 says that no test was chosen: right for a step that the flags leave empty, wrong for the whole of the tests.
NONE_CHOSEN := $(if $(strip $(PYTEST_FLAGS)),|| [ $$? -eq 5 ])
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet $(PIP_FLAGS)

.DEFAULT_GOAL := help
.PHONY: help install run test check format eval bench screenshots soak bundle clean

help: ## 列出全部命令
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt | $(VENV)/bin/python
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt | $(VENV)/bin/python
	$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.runtime

install: $(VENV)/.runtime ## 只安装运行所需的依赖

run: $(VENV)/.runtime ## 启动平台：浏览器打开 http://localhost:8501
	@[ -f "$${MATCHER_HOME:-var}/index/experts/manifest.json" ] || $(BIN)/python -m matcher index \
		|| echo "索引没有建成（原因见上），平台仍会启动。"
	$(BIN)/python -m streamlit run app.py --server.port $(PORT)

test: $(VENV)/.dev ## 运行全部测试（不到 10 分钟）
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not (slow or e2e or alone)" $(PYTEST_FLAGS) $(NONE_CHOSEN)
	$(BIN)/python -m pytest -m "(e2e or alone) and not slow" $(PYTEST_FLAGS) $(NONE_CHOSEN)

check: $(VENV)/.dev ## 格式、静态检查、类型、分层
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## 自动整理格式
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

eval: $(VENV)/.runtime ## 在开发集与示例数据上测量匹配质量
	$(BIN)/python -m matcher evaluate --needs data/eval/needs.csv --experts data/eval/experts.csv --qrels data/eval/qrels.csv --sectors --loso --errors --reworded data/eval/needs_technical.csv
	$(BIN)/python -m matcher evaluate --needs data/needs.csv --experts data/experts.csv --works data/works.csv --qrels data/qrels.csv

bench: $(VENV)/.runtime ## 内置模型的速度、大小和加载时间，与小型 transformer 同场比较
	$(BIN)/python -m matcher bench encode

screenshots: $(VENV)/.dev ## 重新截取 docs/screenshots（需要 chromium）
	PYTHONPATH=. $(BIN)/python tests/e2e/screenshots.py --out docs/screenshots

soak: $(VENV)/.dev ## 长时间测试：大量随机用例与长浏览器流程
	$(BIN)/python -m pytest -m slow $(PYTEST_FLAGS)

# PIP_FLAGS reaches the program through the environment, as make hands on what is set on its command line.
bundle: $(VENV)/bin/python ## 打成离线安装包 dist/matcher-offline-….zip，给不能上网的电脑
	$(BIN)/python tools/bundle.py

clean: ## 删除虚拟环境与缓存（不动数据目录 var）
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
