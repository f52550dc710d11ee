# Thin over cargo: what each command is, for people and for CI.

CARGO ?= cargo
TOOLS = classify dispatch gates verify converge

PREFIX ?= /usr/local
DESTDIR ?=
# Goes before each program's name: `verify` is a common word, and somebody else may have taken it.
PROG_PREFIX ?=

# The tests and the demo run make themselves, which has to speak as it does to somebody who types it.
ALONE = unset MAKEFLAGS MFLAGS MAKELEVEL;

BINDIR = $(DESTDIR)$(PREFIX)/bin
SHAREDIR = $(DESTDIR)$(PREFIX)/share

# Where `make peers` installs other people's programs: needs npm, python3 and a network.
PEERS = $(CURDIR)/target/peers

.PHONY: campaign help build demo test peers check fmt clippy doc deny gates bench docs model schema install uninstall

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18
	@echo
	@echo "  PREFIX=$(PREFIX)  DESTDIR=$(DESTDIR)  PROG_PREFIX=$(PROG_PREFIX)  (for make install)"

build: ## Build the five programs, optimised, into target/release
	$(CARGO) build --release --locked --bins $(TOOLS:%=-p %)

demo: build ## Run the main job on this repository and on a small one with a failing test
	$(CARGO) test --quiet --locked --no-run -p shared # one of its tasks runs one of these tests
	@$(ALONE) sh demo/run.sh

test: ## Run all tests
	$(ALONE) $(CARGO) test --workspace --locked

peers: ## Install real agent CLIs into target/peers and run the tests against them
	npm install --silent --prefix $(PEERS)/npm @anthropic-ai/claude-code @openai/codex opencode-ai @google/gemini-cli
	python3 -m venv $(PEERS)/tools && $(PEERS)/tools/bin/pip install -q llm
	python3 -m venv $(PEERS)/aider && $(PEERS)/aider/bin/pip install -q aider-chat
	$(ALONE) node="$(PEERS)/npm/node_modules"; system="linux-$$(node -p process.arch)"; \
	SPECPIPE_TEST_CLAUDE="$$node/@anthropic-ai/claude-code-$$system/claude" \
	SPECPIPE_TEST_CODEX="$$node/.bin/codex" \
	SPECPIPE_TEST_GEMINI="$$node/.bin/gemini" \
	SPECPIPE_TEST_OPENCODE="$$node/opencode-$$system/bin/opencode" \
	SPECPIPE_TEST_AIDER="$(PEERS)/aider/bin/aider" SPECPIPE_TEST_LLM="$(PEERS)/tools/bin/llm" \
	    $(CARGO) test --locked -p tests --test it peers:: -- --test-threads 1

campaign: ## Kill dispatch 200 times at random moments, and look at what is left
	$(ALONE) SPECPIPE_CAMPAIGN=200 $(CARGO) test -p dispatch --locked --test cli -- --nocapture campaign

check: fmt clippy test doc deny gates ## Everything that CI asks for

fmt: ## Check the formatting
	$(CARGO) fmt --all --check

clippy: ## Check the lints
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

doc: ## Check that the documentation of the code builds without a warning
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --workspace --no-deps --locked --document-private-items

deny: ## Check licences and advisories, if cargo-deny is installed
	@if $(CARGO) deny --version > /dev/null 2>&1; then \
	    $(CARGO) deny --workspace check; \
	else \
	    echo "cargo-deny is not installed: advisories and sources were not checked (licences are, by the tests)"; \
	fi

gates: ## Run our own gates on this repository
	$(CARGO) run -q --locked -p gates -- .

bench: ## Measure against named peers; writes target/bench
	$(ALONE) $(CARGO) bench --locked -p tests --bench peers

docs: ## Write man pages, completions and schemas into target/share
	$(CARGO) run -q --locked -p tests --bin generate -- share target/share

model: ## Train the embedded model from classify/corpus
	$(CARGO) run -q --release --locked -p classify -- train classify/corpus --output classify/model.bin

schema: ## Write the JSON Schemas of the record's sections into shared/schema, from the types
	$(CARGO) run -q --locked -p tests --bin generate -- schemas shared/schema

install: build docs ## Install programs, man pages and completions below PREFIX
	install -d $(BINDIR) $(SHAREDIR)/man/man1 $(SHAREDIR)/bash-completion/completions \
	    $(SHAREDIR)/zsh/site-functions $(SHAREDIR)/fish/vendor_completions.d
	set -e; for tool in $(TOOLS); do \
	    name="$(PROG_PREFIX)$$tool"; \
	    install -m 755 target/release/$$tool $(BINDIR)/$$name; \
	    install -m 644 target/share/man/man1/$$tool.1 $(SHAREDIR)/man/man1/$$name.1; \
	    [ -z "$(PROG_PREFIX)" ] || continue; \
	    install -m 644 target/share/bash-completion/completions/$$tool $(SHAREDIR)/bash-completion/completions/$$tool; \
	    install -m 644 target/share/zsh/site-functions/_$$tool $(SHAREDIR)/zsh/site-functions/_$$tool; \
	    install -m 644 target/share/fish/vendor_completions.d/$$tool.fish $(SHAREDIR)/fish/vendor_completions.d/$$tool.fish; \
	done

uninstall: ## Remove what make install put below PREFIX
	for tool in $(TOOLS); do \
	    name="$(PROG_PREFIX)$$tool"; \
	    rm -f $(BINDIR)/$$name $(SHAREDIR)/man/man1/$$name.1 \
	        $(SHAREDIR)/bash-completion/completions/$$name $(SHAREDIR)/zsh/site-functions/_$$name \
	        $(SHAREDIR)/fish/vendor_completions.d/$$name.fish; \
	done
