.PHONY: help build test docs lint e2e study pictures fuzz bench demo static fmt install dist clean

HOST = $(shell rustc -vV | sed -n 's/^host: //p')
TARGET = $(or $(CARGO_TARGET_DIR),target)
CARGO_FOLDER = $(or $(CARGO_HOME),$(HOME)/.cargo)
STATIC_FLAGS = -Ctarget-feature=+crt-static -Cstrip=symbols
STATIC = $(TARGET)/$(HOST)/release/swarmline
PREFIX = $(if $(filter 0,$(shell id -u)),/usr/local,$(HOME)/.local)

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1	/p' $(MAKEFILE_LIST)

build: ## the release binary, target/release/swarmline
	cargo build --release --locked

test: ## unit and integration tests
	cargo test --locked

docs: ## the tables of docs/flags-and-environment.md, from the command line's own definition
	SWARMLINE_WRITE_DOCS=1 cargo test --locked --test it docs::flags

lint: ## format, clippy and documentation, warnings being errors
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked

e2e: static ## the static binary against nginx, haproxy, tinyproxy, microsocks and Python's server; needs them installed, best as root
	@# As for `make test`, whose features of dependencies are others than those of a build alone: nothing is built twice.
	cargo test --locked --no-run
	python3 tests/e2e/run.py --bin $(STATIC) --static-bin $(STATIC) --dynamic-bin $(TARGET)/debug/swarmline

study: build ## over many runs: figures held against a queue's own record and nginx's log, imports against Locust, newman and k6, searches for capacity; three quarters of an hour on a quiet machine (benches/STUDY.md, benches/LOCUST.md)
	python3 tests/e2e/study.py --bin $(TARGET)/release/swarmline
	python3 tests/e2e/capacity_study.py --bin $(TARGET)/release/swarmline
	python3 tests/e2e/locust_study.py --bin $(TARGET)/release/swarmline
	python3 tests/e2e/second_opinions.py

pictures: build ## docs/images/live.png and terminal.svg, from runs of now; needs chromium and tmux
	python3 tests/e2e/pictures.py --bin $(TARGET)/release/swarmline

fuzz: ## mutated inputs by the hour: make fuzz COUNT=100000 SEED=1 KIND=merge (all kinds where none is named)
	FUZZ_COUNT=$(or $(COUNT),100000) FUZZ_SEED=$(or $(SEED),1) FUZZ_FROM=$(or $(FROM),0) \
	  cargo test --locked --test it fuzz::$(KIND) -- --nocapture

bench: build ## what it costs, beside wrk, oha, hey, h2load, k6, Locust and a bare client in C; 40 minutes, on a quiet machine (benches/RESULTS.md)
	cargo bench --no-run --locked --bench micro --bench users_loop
	python3 benches/run.py --bin $(TARGET)/release/swarmline

demo: build ## load the embedded target for 10 s and look at it
	$(TARGET)/release/swarmline demo

static: ## one static, stripped binary that runs anywhere (built on a glibc host); says where it is
	@case "$(HOST)" in *-linux-gnu) ;; *) echo "make static: needs a linux-gnu host, this is $(HOST)" >&2; exit 1;; esac
	CARGO_ENCODED_RUSTFLAGS="$$(printf '%s\037' $(STATIC_FLAGS) "--remap-path-prefix=$(CARGO_FOLDER)=/cargo")--remap-path-prefix=$(CURDIR)=/swarmline" \
	  cargo build --release --locked --target $(HOST)
	@echo $(STATIC)

fmt: ## format the source
	cargo fmt

install: $(if $(BINARY),,build) ## binary, manual pages and completions, below PREFIX (default: ~/.local, as root /usr/local), DESTDIR before it; BINARY=FILE installs what is built already
	packaging/install.sh "$(or $(BINARY),$(TARGET)/release/swarmline)" "$(DESTDIR)$(PREFIX)"
	@echo installed below $(DESTDIR)$(PREFIX)

dist: $(if $(BINARY),,static) ## one archive of the static binary, manual pages, completions and licences, in target/dist; BINARY=FILE takes a static one that is built already
	python3 packaging/archive.py "$(or $(BINARY),$(STATIC))" $(HOST) $(TARGET)/dist

clean: ## remove what was built
	cargo clean
