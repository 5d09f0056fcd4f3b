# SPDX-License-Identifier: ISC
#
# A few verbs in front of Meson. CONTRIBUTING.md says when to use which.

NINJA = ninja
PREFIX = /usr/local
SYSCONFDIR = /etc
DESTDIR =
PREFIXES = $(if $(filter-out /usr/local,$(PREFIX))$(filter-out /etc,$(SYSCONFDIR)), \
    --prefix=$(PREFIX) --sysconfdir=$(SYSCONFDIR))
# make bench: one figure only;  make fuzz: seconds for each harness;  make proof: seeds of the simulator
FIGURE =
FUZZ_SECONDS = 10
PROOF_SEEDS = 10000
PROOF_FUZZ_SECONDS = 600

SANITIZE = -Db_sanitize=address,undefined -Db_lundef=false

all:
	tools/configure build $(PREFIXES)
	$(NINJA) -C build

# Everything; the last line is the verdict.
test:
	./test

# The inner loop: laws and unit tests, under sanitizers, from a warm build.
test-fast:
	tools/configure build-test -Dbench=true $(SANITIZE)
	$(NINJA) -C build-test
	tools/run-tests build-test:laws build-test:unit

bench:
	tools/install-deps build bench
	tools/configure build
	$(NINJA) -C build postern
	tools/configure build-bench -Dbench=true
	$(NINJA) -C build-bench bench/load/mailstorm bench/load/mailsink bench/load/physlimit \
		core/bounce/bounce_speed
	bench/run build/postern build-bench/bench/load $(FIGURE)

fuzz:
	tools/install-deps fuzz
	CC=clang tools/configure build-fuzz -Dfuzz=true $(SANITIZE)
	tools/run-fuzzers build-fuzz $(FUZZ_SECONDS)

# Hours rather than minutes.
proof: all
	seq 0 19 | xargs -P "$$(nproc)" -I@ sh -c 'n=$$(($(PROOF_SEEDS) / 20)) && \
	    build/postern-sim --seeds $$n --from $$((@ * n + 1))'
	$(NINJA) -C build bench/pem_timing
	build/bench/pem_timing 100000
	$(MAKE) fuzz FUZZ_SECONDS=$(PROOF_FUZZ_SECONDS)

# One program holds every fault of base/plant.h; each in turn is switched on, and must be found.
sim-check: all
	tools/run-tests build:sim-check

tidy:
	tools/tidy

install: all
	DESTDIR=$(DESTDIR) meson install -C build --no-rebuild

uninstall:
	DESTDIR=$(DESTDIR) tools/uninstall build

clean:
	rm -rf build build-test build-bench build-fuzz

.PHONY: all test test-fast bench fuzz proof sim-check tidy install uninstall clean
