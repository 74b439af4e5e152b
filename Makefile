.PHONY: help build test lint e2e study fuzz bench demo static fmt install clean

HOST = $(shell rustc -vV | sed -n 's/^host: //p')
TARGET = $(or $(CARGO_TARGET_DIR),target)
STATIC = $(TARGET)/$(HOST)/release/swarmline

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1	/p' $(MAKEFILE_LIST)

build: ## the release binary, target/release/swarmline
	cargo build --release --locked

test: ## unit and integration tests
	cargo test --locked

lint: ## format, clippy and documentation, warnings being errors
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked

e2e: build static ## against nginx, haproxy, tinyproxy, microsocks and Python's server; needs them installed, best as root
	python3 tests/e2e/run.py --bin $(TARGET)/release/swarmline --static-bin $(STATIC)

study: build ## over many runs: figures held against a queue's own record and nginx's log, imports against Locust, newman and k6, searches for capacity; three quarters of an hour on a quiet machine (benches/STUDY.md, benches/LOCUST.md)
	python3 tests/e2e/study.py --bin $(TARGET)/release/swarmline
	python3 tests/e2e/capacity_study.py --bin $(TARGET)/release/swarmline
	python3 tests/e2e/locust_study.py --bin $(TARGET)/release/swarmline
	python3 tests/e2e/second_opinions.py

fuzz: ## mutated inputs by the hour: make fuzz COUNT=100000 SEED=1 KIND=merge (all kinds where none is named)
	FUZZ_COUNT=$(or $(COUNT),100000) FUZZ_SEED=$(or $(SEED),1) FUZZ_FROM=$(or $(FROM),0) \
	  cargo test --locked --test it fuzz::$(KIND) -- --nocapture

bench: build ## what it costs, beside wrk, oha, hey and Locust; a quarter of an hour, on a quiet machine (benches/RESULTS.md)
	cargo bench --no-run --locked --bench micro --bench users_loop
	python3 benches/run.py --bin $(TARGET)/release/swarmline

demo: build ## load the embedded target for 10 s and look at it
	$(TARGET)/release/swarmline demo

static: ## one static, stripped binary that runs anywhere (built on a glibc host); says where it is
	@case "$(HOST)" in *-linux-gnu) ;; *) echo "make static: needs a linux-gnu host, this is $(HOST)" >&2; exit 1;; esac
	RUSTFLAGS="-C target-feature=+crt-static -C strip=symbols" cargo build --release --locked --target $(HOST)
	@echo $(STATIC)

fmt: ## format the source
	cargo fmt

install: ## into cargo's bin folder
	cargo install --path . --locked

clean: ## remove what was built
	cargo clean
