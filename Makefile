# The front door. `make` tells what there is.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build demo test bench lint check install clean

PREFIX ?= /usr/local
DESTDIR ?=
CNI_BIN_DIR ?= /opt/cni/bin

TARGET := $(or $(CARGO_TARGET_DIR),target)
BIN := dist/bin
# The static plugin is built for the machine's own triple by name, so that build scripts stay dynamic.
HOST = $(shell rustc -vV | sed -n 's/^host: //p')

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the Debian packages that are missing
	@scripts/setup.sh

build: ## release programs into dist/bin
	cargo build --release -p daemon -p vpcctl
	RUSTFLAGS="$${RUSTFLAGS:-} -C target-feature=+crt-static" \
	  cargo build -p cni-plugin --profile cni --target $(HOST)
	mkdir -p $(BIN)
	install -m 755 $(TARGET)/$(HOST)/cni/kube-ovn $(TARGET)/release/kube-ovn-daemon $(TARGET)/release/vpcctl $(BIN)/
	install -m 755 $(TARGET)/release/vpcctl $(BIN)/kubectl-vpc
	@ls -l $(BIN)

demo: setup build ## the guide's external network, its VPCs and probes into them
	scripts/demo.sh

test: setup ## all tests; the last line is the totals
	@scripts/test.sh

bench: setup build ## measure and compare
	scripts/bench.sh

lint: ## format and clippy
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets --all-features -- -D warnings

check: lint ## lint, documentation, licences and advisories
	RUSTDOCFLAGS="-D warnings" cargo doc --quiet --workspace --no-deps
	@if cargo deny --version >/dev/null 2>&1; then \
	  cargo deny check; \
	else \
	  echo "check: licences and advisories NOT checked: cargo install --locked cargo-deny"; \
	fi

# The plugin is put in place by rename: a runtime may be starting it at this moment.
install: ## dist/bin into DESTDIR, PREFIX and CNI_BIN_DIR
	@test -x $(BIN)/kube-ovn || { echo "install: run 'make build' first" >&2; exit 1; }
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(CNI_BIN_DIR)
	install -m 755 $(BIN)/kube-ovn-daemon $(BIN)/vpcctl $(BIN)/kubectl-vpc $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(BIN)/kube-ovn $(DESTDIR)$(CNI_BIN_DIR)/.kube-ovn.new
	mv -f $(DESTDIR)$(CNI_BIN_DIR)/.kube-ovn.new $(DESTDIR)$(CNI_BIN_DIR)/kube-ovn

clean: ## remove everything built
	cargo clean
	rm -rf dist
