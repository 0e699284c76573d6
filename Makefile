# Setu: one program, one library beneath it. `make help` lists the targets.
BUILD ?= build
CC ?= cc
CXX ?= c++
AR ?= ar
PREFIX ?= /usr/local
# V=1 shows the commands.
Q := $(if $(V),,@)

PACKAGES := simdjson libsodium nettle gnutls libidn2 libpsl libpcre2-8 sqlite3 zlib libzstd liblzma yaml-0.1
# Not linked but loaded when they are needed (base_library_load), by the name that the linker would note.
LATE_PACKAGES := libcurl libpcap
soname = $(shell readelf -d "$$(pkg-config --variable=libdir $(1))/$(1).so" 2>/dev/null | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
PKG_CFLAGS = $(shell pkg-config --cflags $(PACKAGES) $(LATE_PACKAGES) 2>/dev/null)
PKG_LIBS = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
VERSION := $(shell sed -n 's/^\#\# \([0-9][^ ]*\).*/\1/p' CHANGES 2>/dev/null | head -1)

WARN_BOTH := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual \
  -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough -Wpointer-arith \
  -Wnull-dereference $(if $(SANITIZE),,-Wframe-larger-than=16384) # sanitizers widen frames
WARN_C := $(WARN_BOTH) -Wstrict-prototypes -Wmissing-prototypes
ifdef CI
WERROR := -Werror
endif
OPT ?= -O2 -g -D_FORTIFY_SOURCE=3
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE -fvisibility=hidden -fno-common
BOTH = -Isrc -I$(BUILD)/gen $(OPT) $(HARDEN) $(SANITIZE) -pthread -MMD -MP -D_GNU_SOURCE \
  -DSETU_VERSION='"$(VERSION)"' $(WERROR)
CFLAGS_ALL = -std=c17 $(WARN_C) $(BOTH) $(PKG_CFLAGS) $(CFLAGS)
CXXFLAGS_ALL = -std=c++17 $(WARN_BOTH) $(BOTH) $(PKG_CFLAGS) $(CXXFLAGS)
LDFLAGS_ALL = $(SANITIZE) -pthread -pie -Wl,-z,relro,-z,now $(LDFLAGS)

ROOM_SOURCES := $(sort $(wildcard src/*/*.c src/*/*.cc))
CLI_SOURCES := $(filter src/cli/%,$(ROOM_SOURCES))
LIB_SOURCES := $(filter-out src/cli/%,$(ROOM_SOURCES))
object = $(patsubst %,$(BUILD)/obj/%.o,$(1))
LIB := $(BUILD)/libsetu.a
TEST_SOURCES := $(sort $(wildcard tests/*/test_*.c))
TEST_PROGRAMS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(TEST_SOURCES))
FUZZ_SOURCES := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_PROGRAMS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_SOURCES))
REPLAY_PROGRAMS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(FUZZ_SOURCES))
# On x86-64 the kernel for AArch64 is tested too, under an emulator; sanitizers are not there for it.
NEON_CC := aarch64-linux-gnu-gcc
NEON_PROGRAM := $(if $(SANITIZE),,$(if $(filter x86_64,$(shell uname -m)),$(BUILD)/tests/aarch64/match/test_passes))

.PHONY: all help demo prove test unit neon e2e asan tsan bench fuzz fuzz-programs lint tidy-flags man install \
  clean test-programs deps-build deps-test deps-lint deps-fuzz deps-bench
all: $(BUILD)/setu

help:
	@echo "make            build/setu"
	@echo "make demo       two nodes exchange and detect (BUNDLE=file.json, KEEP=1)"
	@echo "make test       the whole suite: unit, fuzz corpora, end to end"
	@echo "make neon       the kernel for AArch64 on x86-64, under an emulator; make test does it too"
	@echo "make prove      the proofs of the release gate at length (SECONDS_EACH=2400)"
	@echo "make asan       the same suite with address and undefined-behaviour sanitizers"
	@echo "make tsan       the unit suite and the server's tests with the thread sanitizer"
	@echo "make bench      figures, each a ratio against a peer or a limit of the same run"
	@echo "make fuzz       libFuzzer on every parser (SECONDS_EACH=60)"
	@echo "make lint       format, layers, headers, clang-tidy"
	@echo "make clean      removes BUILD (default build)"
	@echo "make install    program and manual under PREFIX (default /usr/local)"

deps-build deps-test deps-lint deps-fuzz deps-bench: deps-%:
	@scripts/deps $*

$(BUILD)/setu: $(call object,$(CLI_SOURCES)) $(LIB)
	@echo "link $@"
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(LIB): $(call object,$(LIB_SOURCES)) $(BUILD)/obj/gen/warninglists.c.o
	@echo "archive $@"
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# Reference data and the reader's lexicon are files under data/ and schemas/; the program carries them.
DIALOGUE_DATA := dialogue_words=data/dialogue/words.txt dialogue_nations=data/dialogue/nations.txt \
  dialogue_agencies=data/dialogue/agencies.txt dialogue_india_japan=data/dialogues/india-japan.json \
  dialogue_norms=data/norms.json dialogue_clocks=data/clocks.json \
  dialogue_extensions=schemas/extensions.json dialogue_common=schemas/common.json \
  dialogue_assistance_request=schemas/assistance-request.json \
  dialogue_assistance_move=schemas/assistance-move.json dialogue_contact_point=schemas/contact-point.json \
  dialogue_instrument=schemas/dialogue-instrument.json dialogue_round=schemas/dialogue-round.json \
  dialogue_commitment=schemas/dialogue-commitment.json dialogue_measure=schemas/dialogue-measure.json \
  dialogue_assessment=schemas/dialogue-assessment.json
DIALOGUE_HEADER := $(BUILD)/gen/dialogue/dialogue_data.h
$(DIALOGUE_HEADER): tools/embed $(foreach d,$(DIALOGUE_DATA),$(lastword $(subst =, ,$(d))))
	@echo "embed $@"
	@mkdir -p $(@D)
	$(Q)tools/embed $(DIALOGUE_DATA) > $@.new && mv $@.new $@
$(call object,src/dialogue/data.c): $(DIALOGUE_HEADER)

TELECOM_HEADER := $(BUILD)/gen/stix/telecom_data.h
$(TELECOM_HEADER): tools/embed schemas/telecom-extensions.json
	@echo "embed $@"
	@mkdir -p $(@D)
	$(Q)tools/embed telecom_extensions=schemas/telecom-extensions.json > $@.new && mv $@.new $@
$(call object,src/stix/stix_local.c): $(TELECOM_HEADER)

$(call object,src/peer/curl.c): CFLAGS_ALL += -DLIBRARY_CURL='"$(call soname,libcurl)"'
$(call object,src/packet/pcap.c): CFLAGS_ALL += -DLIBRARY_PCAP='"$(call soname,libpcap)"'

$(BUILD)/obj/%.c.o: %.c
	@echo "compile $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/obj/%.cc.o: %.cc
	@echo "compile $<"
	@mkdir -p $(@D)
	$(Q)$(CXX) $(CXXFLAGS_ALL) -c -o $@ $<

$(BUILD)/tests/%: tests/%.c $(LIB)
	@echo "compile $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -Itests -MT $@ -c -o $@.o $<
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $@ $@.o $(LIB) $(PKG_LIBS)

# Without the libraries of that processor: the kernels, the tables they read, and their test.
$(BUILD)/obj/aarch64/%.c.o: %.c
	@echo "compile $< (AArch64)"
	@mkdir -p $(@D)
	$(Q)$(NEON_CC) -std=c17 $(WARN_C) $(BOTH) -Itests -c -o $@ $<

$(BUILD)/tests/aarch64/match/test_passes: $(patsubst %,$(BUILD)/obj/aarch64/%.c.o,tests/match/test_passes \
  src/match/kernel_neon src/match/kernel_portable src/match/kernel_tables)
	@echo "link $@"
	@mkdir -p $(@D)
	$(Q)$(NEON_CC) -static -o $@ $^

# A fuzz target is LLVMFuzzerTestOneInput; linked with tests/fuzz/replay.c it runs its corpus.
$(BUILD)/tests/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $(LIB)
	@echo "compile $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -Itests -MT $@ -c -o $@.o $<
	$(Q)$(CC) $(CFLAGS_ALL) -Itests -c -o $@.replay.o tests/fuzz/replay.c
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $@ $@.o $@.replay.o $(LIB) $(PKG_LIBS)

$(BUILD)/fuzz/%: tests/fuzz/%.c $(LIB)
	@echo "compile $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -Itests -MT $@ -c -o $@.o $<
	$(Q)$(CXX) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $@.o $(LIB) $(PKG_LIBS)

# The warning lists become tables; what makes them reads the lists with the room's own code.
WARNINGLISTS := $(sort $(wildcard data/warninglists/*.txt))
$(BUILD)/tools/warninglists: $(call object,tools/warninglists.c \
  $(filter-out %/warninglist.c,$(filter src/base/% src/observable/%,$(LIB_SOURCES))))
	@echo "link $@"
	@mkdir -p $(@D)
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(BUILD)/bench/setu-no-ledger: $(call object,bench/no_ledger.c $(CLI_SOURCES)) $(LIB)
	@echo "link $@"
	@mkdir -p $(@D)
	$(Q)$(CXX) $(LDFLAGS_ALL) -Wl,--wrap=gate_record_object,--wrap=ledger_digest -o $@ $^ $(PKG_LIBS)

$(BUILD)/bench/check: $(call object,bench/check.c bench/simdjson_dom.cc) $(LIB)
	@echo "link $@"
	@mkdir -p $(@D)
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(BUILD)/gen/warninglists.c: $(BUILD)/tools/warninglists $(WARNINGLISTS)
	@echo "make $@"
	@mkdir -p $(@D)
	$(Q)$(BUILD)/tools/warninglists $(WARNINGLISTS) > $@.new
	@mv $@.new $@

$(BUILD)/obj/gen/%.c.o: $(BUILD)/gen/%.c
	@echo "compile $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/bench/%: bench/%.c $(LIB)
	@echo "compile $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@.o $<
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $@ $@.o $(LIB) $(PKG_LIBS)

# The peer of the server, which setu itself does not use; and that of its reader of captures.
$(BUILD)/bench/mhd: PKG_LIBS += -lmicrohttpd
$(BUILD)/bench/packets $(BUILD)/tests/packet/test_packet_savefile: PKG_LIBS += $(shell pkg-config --libs libpcap)

# Preloaded into the server, and into what the server is measured against.
$(BUILD)/bench/slow-flush.so: bench/slow_flush.c
	@echo "link $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -fPIC -shared -o $@ $<

test-programs: $(TEST_PROGRAMS) $(REPLAY_PROGRAMS) $(BUILD)/tests/exchange/probe
fuzz-programs: $(FUZZ_PROGRAMS)

unit: all test-programs $(and $(shell command -v $(NEON_CC)),$(shell command -v qemu-aarch64),$(NEON_PROGRAM))
	@scripts/test --unit --build $(BUILD)

neon: deps-test
	@$(MAKE) --no-print-directory $(BUILD)/tests/aarch64/match/test_passes
	@qemu-aarch64 $(BUILD)/tests/aarch64/match/test_passes

demo: deps-build
	@$(MAKE) --no-print-directory -j2 all
	@scripts/demo $(BUILD)

test: deps-test
	@$(MAKE) --no-print-directory -j2 all test-programs $(NEON_PROGRAM)
	@scripts/test --build $(BUILD)

e2e: deps-test
	@$(MAKE) --no-print-directory -j2 all
	@scripts/test --e2e --build $(BUILD)

SAN_FLAGS := OPT="-O1 -g" SANITIZE="-fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"
asan: deps-test
	@$(MAKE) --no-print-directory -j2 BUILD=build/asan $(SAN_FLAGS) all test-programs
	@scripts/test --build build/asan

tsan: deps-test
	@$(MAKE) --no-print-directory -j2 BUILD=build/tsan OPT="-O1 -g" SANITIZE="-fsanitize=thread" all test-programs
	@scripts/test --build build/tsan --threads

prove: deps-build
	@$(MAKE) --no-print-directory -j2 $(BUILD)/tests/exchange/test_histories \
	  $(BUILD)/tests/exchange/test_interference
	@scripts/prove --build $(BUILD)

bench: deps-bench
	@$(MAKE) --no-print-directory -j2 all $(BUILD)/bench/check $(BUILD)/bench/ledger $(BUILD)/bench/mhd \
	  $(BUILD)/bench/packets $(BUILD)/bench/setu-no-ledger $(BUILD)/bench/slow-flush.so
	@bench/run $(BUILD)

fuzz: deps-fuzz
	@$(MAKE) --no-print-directory -j2 BUILD=build/libfuzzer CC=clang CXX=clang++ OPT="-O1 -g" \
	  SANITIZE="-fsanitize=address,undefined,fuzzer-no-link" fuzz-programs
	@scripts/fuzz build/libfuzzer

lint: deps-lint
	@$(MAKE) --no-print-directory -j2 all
	@scripts/lint $(BUILD)

tidy-flags:
	@echo '-Isrc -I$(BUILD)/gen -D_GNU_SOURCE -DSETU_VERSION="" -DLIBRARY_CURL="-" -DLIBRARY_PCAP="-" $(PKG_CFLAGS)'

man: all
	@tools/man $(BUILD)/setu > man/setu.1

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5
	install -m 755 $(BUILD)/setu $(DESTDIR)$(PREFIX)/bin/setu
	install -m 644 man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5

clean:
	@if [ -e "$(BUILD)/Makefile" ]; then echo "BUILD=$(BUILD) holds a Makefile: it is no folder of make's" >&2; exit 2; fi
	rm -rf "$(BUILD)"

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
