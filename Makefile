# SPDX-License-Identifier: MIT
#
# Building jittrace. To see a JIT compiler at work:      make demo
#
#   make            builds ./jittrace
#   make deps       installs what that needs (Debian), or names it (elsewhere)
#   make demo       both of these, then ./jittrace 1 and ./jittrace -4
#   make exercise N=06   checks your my.c of lesson 06; see docs/README.md.
#                        N="06 07" checks both, N=all all of them
#   make hint, watch, reset, solution N=06, make progress: the same
#   make exercise N=13 RUNG=4    one rung of the ladder of lesson 13
#   make check      all tests
#   make check-encoder ENCODER=my.c    tries an encoder: docs/encoder.md
#                   AGAINST=old.c compares it with another version
#   make exhaustive tries the baby JIT's lines with all 2^32 terms: a minute
#   make check-random [RUNS=10000] [SEED=1]    runs random machine code under it
#   make stress [RUNS=50] [LOAD=4]    the programs of the tests, again and again
#   make check-jits runs LuaJIT, tcc, PCRE2, node, java and Erlang under it
#   make check-formats   gives asciinema, Graphviz and gdb what is made for them
#   make check-page loads pages of --format=html in a browser: two minutes
#   make pages      a page for each lesson, in build/pages; see docs/pages.md
#   make lint       format, order of includes, warnings of gcc and clang
#   make fuzz       odd input for all that reads files of others; RUNS=1000000
#   make sanitize   all tests, with the address and undefined sanitizers
#   make rebase     all tests; golden texts and pages become what is true now
#   make bench      how fast it is, next to strace and gdb
#   make install    to PREFIX (/usr/local), below DESTDIR if that is given
#   make uninstall  removes that
#   make deb, portable, dist   a Debian package; a tarball that runs anywhere;
#                   one of the sources; make check-packages tries all three
#   make clean      removes what was built
#
# Everything made is in build/, but for ./jittrace itself. CC, CPPFLAGS, CFLAGS,
# LDFLAGS and PREFIX are yours: `make CC=clang CFLAGS=-O0`.

VERSION = 0.1.0

PREFIX = /usr/local
bindir = $(PREFIX)/bin
datadir = $(PREFIX)/share
man1dir = $(datadir)/man/man1
docdir = $(datadir)/doc/jittrace
bashdir = $(datadir)/bash-completion/completions
zshdir = $(datadir)/zsh/site-functions
fishdir = $(datadir)/fish/vendor_completions.d

ifeq ($(origin CC),default)
CC = gcc
endif
CFLAGS = -O2 -g

# `make sanitize` sets these, to build a second time next to the first.
BUILD = build
PROGRAM = jittrace
SANITIZE =

# --- What there is to build -------------------------------------------------

SOURCES = $(wildcard src/*/*.c src/*/*/*.c)
OBJECTS = $(SOURCES:%.c=$(BUILD)/%.o)

# Lesson programs, lessons/NN-name/name.c, that jittrace carries with it: the
# program and its source, and a table of them all.
LESSONS := $(shell ls lessons/[0-9][0-9]-*/*.c | \
                  sed -n 's,^\(lessons/[0-9]*-\(.*\)/\2\)\.c$$,\1,p')
LESSON_TABLE = $(BUILD)/lessons/table.inc
# The page of --format=html: its style and its script, and the hashes of both
# that its policy names.
PAGE_PARTS = $(addprefix $(BUILD)/page/player., \
               html.inc css.inc js.inc css.hash.inc js.hash.inc)

EMBEDDED = $(PAGE_PARTS) $(LESSONS:%=$(BUILD)/%.inc) \
           $(LESSONS:%=$(BUILD)/%.c.inc) $(LESSON_TABLE) $(PLAY_HOST).inc \
           $(BUILD)/docs/glossary.md.inc

# The process in which --play runs what was typed.
PLAY_HOST = $(BUILD)/lessons/playground/host

# One runner holds all tests; it is linked with all of jittrace but its main,
# and with what grades encoders.
TEST_SOURCES = $(wildcard tests/*/test_*.c tests/support/*.c)
TEST_OBJECTS = $(TEST_SOURCES:%.c=$(BUILD)/%.o)
RUNNER = $(BUILD)/tests/check

# Runs random machine code.
RANDOM_CODE = $(BUILD)/random

# Programs that the tests trace.
TRACEES = $(patsubst tests/tracees/%.c,$(BUILD)/tracees/%, \
                     $(wildcard tests/tracees/*.c)) \
          $(addprefix $(BUILD)/tracees/babyjit-,O0 O2 static no-pie)
BUG_NAMES = $(patsubst tests/bugs/%.c,%, \
              $(filter-out %/test_bugs.c,$(wildcard tests/bugs/*.c)))
BUGS = $(BUG_NAMES:%=$(BUILD)/bugs/%-O0) $(BUG_NAMES:%=$(BUILD)/bugs/%-O2)

# What tries somebody's encoder, and the program that it does that in.
CHECK_ENCODER = $(BUILD)/check-encoder
ENCODER_HOST = $(BUILD)/grader/host
GRADER_OBJECTS = $(patsubst %.c,$(BUILD)/%.o, \
                   $(filter-out %/host.c %/host_many.c, \
                     $(wildcard lessons/grader/*.c)))

# What is given odd input, one for each thing that is read: `make fuzz`. Clang's
# libFuzzer is linked into it, or a driver of our own.
FUZZ_NAMES = recording typed perfmap jitdump gdbjit options
FUZZERS = $(FUZZ_NAMES:%=$(BUILD)/fuzzers/%)
FUZZ_ENGINE = $(BUILD)/tests/fuzz/driver.o
FUZZ_LINK =

# One line for each of them that says in its comment what must be reported.
TRACEE_TESTS = $(BUILD)/tests/tracees.inc

# --- How --------------------------------------------------------------------

# Each step is one short line: what it makes. `make V=1` shows the commands.
ifeq ($(V),)
SAY = @echo '  $@';
endif

MAKEFLAGS += --no-print-directory --no-builtin-rules
.DELETE_ON_ERROR:
.PHONY: all deps demo check run-check fuzz run-fuzz fuzzers check-encoder \
        exhaustive check-random check-jits stress lint sanitize \
        rebase bench bench-programs install uninstall deb portable dist \
        check-packages check-formats check-page pages clean \
        embedded force \
        exercise watch hint reset solution progress

# Errors in `make lint` only: the next compiler warns of what this one does not,
# and that is no reason not to build.
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
LANGUAGE = -std=gnu11 -D_GNU_SOURCE

# Linked into the program, these save a tenth of a short run: the
# loader has seven libraries less to map (make bench). Not every distribution
# has .a files, or ones that are complete, so that a test link says whether to;
# `make STATIC=` and `make STATIC=--static` say it instead. Looked up only when
# a recipe links: the test must have run.
STATIC = $(shell cat $(BUILD)/static)
LIBRARIES = $(call libraries,$(STATIC))
libraries = -lZydis $(1:--static=-Wl,-Bstatic) \
            $(shell pkg-config $(1) --libs $(MODULES) 2>/dev/null) \
            $(1:--static=-Wl,-Bdynamic) -lm
MODULES = libdw libelf jansson ncursesw zlib
STATIC_NEEDS = dwfl_begin dwfl_report_elf dwfl_module_getsrc dwarf_getsrclines \
               elf_getdata json_loads newterm compress2
STATIC_ASKED = $(if $(filter command%,$(origin STATIC)),STATIC=$(STATIC))
LIBRARY_FLAGS := $(shell pkg-config --cflags $(MODULES) 2>/dev/null)
TEST_LIBRARIES := $(shell pkg-config --libs criterion vterm 2>/dev/null)
TEST_LIBRARY_FLAGS := $(shell pkg-config --cflags criterion vterm 2>/dev/null)

# -MMD -MP write down which headers an object was made from. Without PIE the
# loader has no addresses to put into 20 pages of tables, a tenth of a short
# run. What the user asks for comes last, so that it wins.
COMPILE = $(CC) $(LANGUAGE) -fno-pie -Isrc -Ilessons -I$(BUILD) $(WARNINGS) $(LIBRARY_FLAGS) \
          -DJITTRACE_VERSION='"$(VERSION)"' -ffile-prefix-map='$(CURDIR)'=. \
          -MMD -MP $(SANITIZE) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) -no-pie $(SANITIZE) $(CFLAGS) $(LDFLAGS)

# Tests run in the top directory and find there what they need by these names.
TEST_FLAGS = -Itests $(TEST_LIBRARY_FLAGS) -DBUILD_DIR='"$(BUILD)"' \
             -DJITTRACE='"$(abspath $(PROGRAM))"'

# Lesson programs and tracees are the same for everybody, whatever CC and
# CFLAGS say: what is traced must be what the lessons and the tests speak of.
# No directory of this machine goes into them: gcc would take it from PWD.
PLAIN = gcc $(LANGUAGE) $(WARNINGS) -g -ffile-prefix-map='$(CURDIR)'=.
export PWD = $(CURDIR)

# As many jobs as there are CPUs, unless the user said how many.
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

DEPS = CC='$(CC)' CPPFLAGS='$(CPPFLAGS)' .ci/deps.sh

# --- jittrace ---------------------------------------------------------------

all: $(PROGRAM)

$(PROGRAM): $(OBJECTS) | $(BUILD)/static
	$(SAY)$(LINK) -o $@ $^ $(LIBRARIES)

$(BUILD)/src/%.o: src/%.c $(BUILD)/flags | $(BUILD)/deps
	@mkdir -p $(@D)
	$(SAY)$(COMPILE) -c -o $@ $<

$(BUILD)/src/cli/lesson.o $(BUILD)/src/cli/playground.o: $(EMBEDDED)
$(BUILD)/src/format/html.o: $(PAGE_PARTS)

# Other flags than the last time mean that everything is built anew.
$(BUILD)/flags: force
	@mkdir -p $(@D)
	@echo "$(COMPILE) $(LINK) $(STATIC_ASKED)" | cmp -s - $@ || \
	    echo "$(COMPILE) $(LINK) $(STATIC_ASKED)" >$@

# Functions that make the linker open the archives, and go far into libdw: of
# Debian 13's, dwfl_begin alone can be linked.
$(BUILD)/static: $(BUILD)/flags $(BUILD)/deps Makefile
	@printf 'int %s(); ' $(STATIC_NEEDS) >$@.c
	@printf 'int main(void) { return (0' >>$@.c
	@printf ' + %s()' $(STATIC_NEEDS) >>$@.c
	@echo ') & 1; }' >>$@.c
	@if $(LINK) -w -std=gnu11 -o $@.out $@.c $(call libraries,--static) \
	    >$@.log 2>&1; then echo --static; else echo; fi >$@

# Looks once whether the libraries are there, and says what to do if not.
$(BUILD)/deps: .ci/deps.sh
	@mkdir -p $(@D)
	@$(DEPS) --check build
	@touch $@

# --- Lesson programs and tracees --------------------------------------------

$(BUILD)/lessons/%: lessons/%.c Makefile | $(BUILD)/deps
	@mkdir -p $(@D)
	$(SAY)$(PLAIN) -O0 -fPIE -pie -o $@ $<

embedded: $(EMBEDDED) $(TRACEE_TESTS)
	@:

# Any file becomes the inside of a C array: 0x7f, 0x45, 0x4c, ...
$(BUILD)/lessons/%.c.inc: lessons/%.c | $(BUILD)/deps
	@mkdir -p $(@D)
	$(SAY)xxd -i <$< >$@

$(BUILD)/docs/%.inc: docs/% | $(BUILD)/deps
	@mkdir -p $(@D)
	$(SAY)xxd -i <$< >$@

$(BUILD)/page/%.inc: src/format/page/% | $(BUILD)/deps
	@mkdir -p $(@D)
	$(SAY)xxd -i <$< >$@

# As a string of C, in base64: what a Content-Security-Policy wants.
$(BUILD)/page/%.hash.inc: src/format/page/% | $(BUILD)/deps
	@mkdir -p $(@D)
	$(SAY)sum=$$(sha256sum <$< | cut -c -64 | xxd -r -p | base64) && \
	    echo "\"sha256-$$sum\"" >$@

$(BUILD)/lessons/%.inc: $(BUILD)/lessons/%
	$(SAY)xxd -i <$< >$@

# Nothing but its own code runs there, at the addresses of src/play/request.h.
$(PLAY_HOST): lessons/playground/host.c src/play/request.h Makefile \
              | $(BUILD)/deps
	@mkdir -p $(@D)
	$(SAY)$(PLAIN) -O1 -Isrc -ffreestanding -fno-stack-protector -fno-pie \
	    -fcf-protection=none -no-pie -static -nostdlib -s -Wl,-e,start \
	    -Wl,--build-id=none -Wl,-Ttext-segment=0x8000000 \
	    -Wl,--section-start=.caller=0x9000000 -o $@ $<

$(LESSON_TABLE): force
	@mkdir -p $(@D)
	@awk -f src/cli/lessons.awk $(LESSONS:%=%.c) >$@.new
	@cmp -s $@.new $@ || cp $@.new $@

$(BUILD)/tracees/babyjit-O0: TRACEE_FLAGS = -O0
$(BUILD)/tracees/babyjit-O2: TRACEE_FLAGS = -O2
$(BUILD)/tracees/babyjit-static: TRACEE_FLAGS = -O0 -static
$(BUILD)/tracees/babyjit-no-pie: TRACEE_FLAGS = -O0 -no-pie
$(BUILD)/tracees/babyjit-%: lessons/06-babyjit/babyjit.c Makefile
	@mkdir -p $(@D)
	$(SAY)$(PLAIN) $(TRACEE_FLAGS) -o $@ $<

$(BUILD)/tracees/%: tests/tracees/%.c tests/tracees/code.h \
                    tests/tracees/jitdump.h Makefile
	@mkdir -p $(@D)
	$(SAY)$(PLAIN) -O0 -pthread -o $@ $< $$(sed -n 's/^ \* build: *//p' $<)

$(BUILD)/bugs/%-O0 $(BUILD)/bugs/%-O2: tests/bugs/%.c tests/bugs/bug.h Makefile
	@mkdir -p $(@D)
	$(SAY)$(PLAIN) -O0 -pthread -o $(BUILD)/bugs/$*-O0 $<
	$(SAY)$(PLAIN) -O2 -pthread -o $(BUILD)/bugs/$*-O2 $<

# --- Tests ------------------------------------------------------------------

$(TRACEE_TESTS): force
	@mkdir -p $(@D)
	@grep -l '^ \* ends:' tests/tracees/*.c | \
	    sed 's,.*/\(.*\)\.c$$,TRACEE_TEST(\1),' >$@.new
	@cmp -s $@.new $@ || cp $@.new $@

$(BUILD)/tests/observe/test_tracees.o: $(TRACEE_TESTS)

$(BUILD)/tests/%.o: tests/%.c $(BUILD)/flags | $(BUILD)/deps
	@mkdir -p $(@D)
	$(SAY)$(COMPILE) $(TEST_FLAGS) -c -o $@ $<

$(RUNNER): $(TEST_OBJECTS) $(filter-out %/check_encoder.o,$(GRADER_OBJECTS)) \
           $(filter-out %/src/cli/main.o,$(OBJECTS)) | $(BUILD)/static
	$(SAY)$(LINK) -o $@ $^ $(LIBRARIES) $(TEST_LIBRARIES)

# The packages come first, in a make of their own: this one has already looked
# for the libraries when it read this file.
check:
	@$(DEPS) build check
	@$(MAKE) $(JOBS) run-check

# A short look at odd input comes last.
# Criterion ends well even if it found no test to run, so its report is asked.
run-check: $(RUNNER) $(PROGRAM) $(TRACEES) $(BUGS) $(LESSONS:%=$(BUILD)/%) \
           $(CHECK_ENCODER) $(RANDOM_CODE)
	@rm -f $(RUNNER).json
	@exec $(RUNNER) --json=$(RUNNER).json </dev/null
	@grep -Eq '^  "passed": [1-9]' $(RUNNER).json || \
	    { echo 'make check: no test was run' >&2; exit 1; }
	@$(MAKE) run-fuzz RUNS=1000

# Somebody's own encoder. LEVEL, FORMAT and OUTPUT go on to the program, whose
# exit status says more than that of make: 0 or 2.
check-encoder:
	@[ -n '$(ENCODER)' ] || { echo 'make check-encoder: which one?' \
	    'make check-encoder ENCODER=my.c' >&2; exit 64; }
	@$(DEPS) build
	@$(MAKE) $(JOBS) $(CHECK_ENCODER) $(ENCODER_HOST) >/dev/null
	@$(CHECK_ENCODER) $(LEVEL:%=--level=%) $(FORMAT:%=--format=%) \
	    $(OUTPUT:%=--output='%') $(TERMS:%=--terms=%) $(SEED:%=--seed=%) \
	    $(AGAINST:%=--against='%') -- '$(ENCODER)'

# The baby JIT's own lines, with all 2^32 terms.
exhaustive: $(BUILD)/exhaustive/babyjit.c
	@$(MAKE) check-encoder ENCODER=$< TERMS=all

$(BUILD)/exhaustive/babyjit.c: lessons/06-babyjit/babyjit.c Makefile
	@mkdir -p $(@D)
	@{ echo '#include <stddef.h>'; echo '#include <stdint.h>'; \
	   echo 'size_t encode_adder(uint8_t *code, int32_t term)'; echo '{'; \
	   sed -n '/uint32_t imm = /,/code\[10\] = /p' $<; \
	   echo 'return 11;'; echo '}'; } >$@

$(CHECK_ENCODER): $(GRADER_OBJECTS) $(filter-out %/src/cli/main.o,$(OBJECTS)) \
                  | $(ENCODER_HOST) $(BUILD)/static
	$(SAY)$(LINK) -o $@ $^ $(LIBRARIES)

$(BUILD)/lessons/grader/%.o: lessons/grader/%.c $(BUILD)/flags | $(BUILD)/deps
	@mkdir -p $(@D)
	$(SAY)$(COMPILE) -DENCODER_HOST='"$(abspath $(ENCODER_HOST))"' -c -o $@ $<

# -ldl: a library of its own before glibc 2.34.
$(ENCODER_HOST): lessons/grader/host.c lessons/grader/host_many.c \
                 lessons/grader/host.h lessons/grader/many_block.h Makefile \
                 | $(BUILD)/deps
	@mkdir -p $(@D)
	$(SAY)$(PLAIN) -O1 -o $@ $(filter %.c,$^) -ldl

# Random machine code with and without jittrace: so many samples, of the seeds
# from one on.
RANDOM_RUNS = $(or $(RUNS),1000)
RANDOM_SEED = $(or $(SEED),1)

check-random:
	@$(DEPS) build check
	@$(MAKE) $(JOBS) $(PROGRAM) $(RANDOM_CODE)
	@/usr/bin/python3 tests/random/check_random.py ./$(PROGRAM) \
	    ./$(RANDOM_CODE) '$(RANDOM_SEED)' '$(RANDOM_RUNS)'

# What the code sees must have the same address each time, and none may be left
# if the lower half of a return address is lost.
$(RANDOM_CODE): tests/random/random.c tests/random/sample.c \
                tests/random/sample.h Makefile | $(BUILD)/deps
	@mkdir -p $(@D)
	$(SAY)$(PLAIN) -O1 -I. -fno-pie -no-pie \
	    -Wl,-Ttext-segment=0x51238000 -o $@ $(filter %.c,$^) -lZydis

# The tracees so many times each, beside so many busy loops; all or NAMES="fork
# threads". Half an hour and more.
STRESS_RUNS = $(or $(RUNS),50)
STRESS_LOAD = $(or $(LOAD),4)

stress:
	@$(DEPS) build check
	@$(MAKE) $(JOBS) $(PROGRAM) $(TRACEES)
	@/usr/bin/python3 tests/stress.py ./$(PROGRAM) $(BUILD)/tracees \
	    '$(STRESS_RUNS)' '$(STRESS_LOAD)' $(NAMES)

# JITs that people use, all or JITS="node java": not part of `make check`, for
# they fill 500 MB.
check-jits:
	@$(DEPS) build check jits
	@$(MAKE) $(JOBS) all
	@/usr/bin/python3 tests/check_jits.py ./$(PROGRAM) $(BUILD)/jits $(JITS)

# Undefined behaviour and bad memory accesses end the program. Leaks are not
# looked for: LeakSanitizer does not work in a process that is being traced. The
# pages of docs/ name what an ordinary build makes.
sanitize:
	@$(DEPS) build check
	@$(MAKE) $(JOBS) all
	@ASAN_OPTIONS=detect_leaks=0 $(MAKE) check BUILD=build/sanitize \
	    PROGRAM=build/sanitize/jittrace \
	    SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all'

# Pages of --format=html in Debian's chromium, which is not small either.
check-page:
	@$(DEPS) build page
	@$(MAKE) $(JOBS) $(PROGRAM) $(addprefix $(BUILD)/tracees/,crash recursion)
	@/usr/bin/python3 tests/page/check_page.py ./$(PROGRAM) \
	    $(BUILD)/tracees $(BUILD)/check-page

lint:
	@$(DEPS) build check lint
	@$(MAKE) $(JOBS) embedded
	@BUILD='$(BUILD)' FLAGS='$(LANGUAGE) $(WARNINGS) -Werror' tests/lint.sh

# Rewrites the golden texts in tests/golden, and in docs/ the outputs and the
# code; git diff then shows the change.
rebase:
	@JITTRACE_REBASE=1 $(MAKE) check

bench:
	@$(DEPS) build check bench
	@$(MAKE) $(JOBS) bench-programs
	@BUILD_DIR=$(BUILD) JITTRACE=./$(PROGRAM) bash tests/bench.sh

bench-programs: $(PROGRAM) $(LESSONS:%=$(BUILD)/%) \
                $(addprefix $(BUILD)/bench/,race steps goto loop plain spent \
                  volume)
	@:

$(BUILD)/bench/race: $(BUILD)/tests/bench/race.o
$(BUILD)/bench/steps: $(BUILD)/tests/bench/steps.o
$(BUILD)/bench/goto: $(BUILD)/tests/bench/goto.o
$(BUILD)/bench/steps $(BUILD)/bench/goto: \
    $(filter-out %/src/cli/main.o,$(OBJECTS))
$(BUILD)/bench/race $(BUILD)/bench/steps $(BUILD)/bench/goto: \
    | $(BUILD)/static
	@mkdir -p $(@D)
	$(SAY)$(LINK) -o $@ $^ $(LIBRARIES)

# Programs that are traced.
$(addprefix $(BUILD)/bench/,loop plain spent volume): \
    $(BUILD)/bench/%: tests/bench/%.c tests/tracees/code.h Makefile
	@mkdir -p $(@D)
	$(SAY)$(PLAIN) -O0 -I. -o $@ $<

# --- Fuzzing ----------------------------------------------------------------

# Clang has libFuzzer where a program links with it. Then all is built a second
# time, with sanitizers; else what is there already is linked with our driver.
# What is found is left in the file that is named then.
RUNS = 100000
fuzz:
	@$(DEPS) build fuzz || :
	@$(MAKE) run-fuzz

# Also a part of run-check, where nothing more is installed for it.
run-fuzz:
	@if echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | \
	    clang -fsanitize=fuzzer -x c -o $(BUILD)/fuzz-test - 2>/dev/null; then \
	    $(MAKE) $(JOBS) fuzzers CC=clang CFLAGS='-O1 -g' \
	        BUILD=build/fuzz PROGRAM=build/fuzz/jittrace FUZZ_ENGINE= \
	        FUZZ_LINK=-fsanitize=fuzzer SANITIZE='$(FUZZ_SANITIZE)'; \
	else \
	    echo 'fuzz: clang has no libFuzzer here, so inputs are changed' \
	        'at random'; \
	    $(MAKE) $(JOBS) fuzzers; \
	fi

FUZZ_SANITIZE = -fsanitize=fuzzer-no-link,address,undefined \
                -fno-sanitize=pointer-overflow -fno-sanitize-recover=all

fuzzers: $(FUZZERS)
	@for name in $(FUZZ_NAMES); do \
	    rm -rf $(BUILD)/corpus; mkdir $(BUILD)/corpus; \
	    $(BUILD)/fuzzers/$$name -runs=$(RUNS) -seed=1 -timeout=60 \
	        -max_len=16384 -artifact_prefix=$(BUILD)/$$name- \
	        $(BUILD)/corpus tests/fuzz/corpus/$$name \
	        >$(BUILD)/$$name.log 2>&1 || \
	        { tail -40 $(BUILD)/$$name.log >&2; exit 1; }; \
	    echo "fuzz: $$name: $$(tail -1 $(BUILD)/$$name.log)"; \
	done

$(FUZZERS): $(BUILD)/fuzzers/%: $(BUILD)/tests/fuzz/%.o \
                    $(BUILD)/tests/fuzz/check_text.o \
                    $(BUILD)/tests/fuzz/change.o \
                    $(filter-out %/src/cli/main.o,$(OBJECTS)) $(FUZZ_ENGINE) \
                    | $(BUILD)/static
	@mkdir -p $(@D)
	$(SAY)$(LINK) $(FUZZ_LINK) -o $@ $^ $(LIBRARIES)

# --- Exercises --------------------------------------------------------------

# Ends with a failure if the exercise does not pass, for whoever grades it: make
# adds a line that says so, and its status is 2. N="01 06" names several.
exercise watch hint reset solution progress:
	@[ -x $(PROGRAM) ] || $(MAKE) $(JOBS) all
	@RUNG='$(RUNG)' lessons/exercise.sh $@ '$(N)'

# A page for each lesson, ready for any host of files.
pages:
	@[ -x $(PROGRAM) ] || $(MAKE) $(JOBS) all
	@lessons/pages.sh ./$(PROGRAM) $(BUILD)/pages

# --- The rest ---------------------------------------------------------------

deps:
	@$(DEPS) build

demo:
	@$(DEPS) build
	@$(MAKE) $(JOBS) all
	@for term in 1 -4; do echo "./jittrace $$term"; ./jittrace $$term || \
	    { status=$$?; echo 'make demo: ./jittrace --doctor tells what is' \
	      'missing on this machine' >&2; exit $$status; }; done
	@echo
	@echo 'Three things to type next:'
	@echo '    ./jittrace --step -4           the same step by step, back and forth'
	@echo '    make exercise N=01             the first exercise; docs/README.md is'
	@echo '                                   the course'
	@echo '    ./jittrace ./my-jit            a program of yours, compiled with gcc -g'

# Docs and lessons keep their places to each other, so that links between them
# lead somewhere. What a learner has written there stays with the learner.
DOCUMENTS = README.md LICENSE \
            $(shell find docs lessons -type f ! -name my.c ! -name '.*')

install: all
	install -d '$(DESTDIR)$(bindir)' '$(DESTDIR)$(man1dir)' \
	    '$(DESTDIR)$(bashdir)' '$(DESTDIR)$(zshdir)' '$(DESTDIR)$(fishdir)'
	install -m 755 $(PROGRAM) '$(DESTDIR)$(bindir)/jittrace'
	./$(PROGRAM) --generate=man >'$(DESTDIR)$(man1dir)/jittrace.1'
	./$(PROGRAM) --generate=bash >'$(DESTDIR)$(bashdir)/jittrace'
	./$(PROGRAM) --generate=zsh >'$(DESTDIR)$(zshdir)/_jittrace'
	./$(PROGRAM) --generate=fish >'$(DESTDIR)$(fishdir)/jittrace.fish'
	@for file in $(DOCUMENTS); do \
	    install -D -m 644 $$file '$(DESTDIR)$(docdir)'/$$file; done

uninstall:
	rm -f '$(DESTDIR)$(bindir)/jittrace' '$(DESTDIR)$(man1dir)/jittrace.1' \
	    '$(DESTDIR)$(bashdir)/jittrace' '$(DESTDIR)$(zshdir)/_jittrace' \
	    '$(DESTDIR)$(fishdir)/jittrace.fish'
	rm -rf '$(DESTDIR)$(docdir)'

# --- Packages ---------------------------------------------------------------

# A Debian package is hardened as Debian's own are and linked with its
# libraries; so it is built anew, next to the program.
DEB = $(BUILD)/jittrace_$(VERSION)-0local1_amd64.deb
DEB_FLAGS = $$(dpkg-buildflags --get CFLAGS | sed 's/-ffile-prefix-map=[^ ]*//')

deb:
	@$(DEPS) build package
	@rm -rf $(BUILD)/deb/root
	@$(MAKE) $(JOBS) install BUILD=$(BUILD)/deb PROGRAM=$(BUILD)/deb/jittrace \
	    STATIC= PREFIX=/usr DESTDIR=$(BUILD)/deb/root \
	    zshdir=/usr/share/zsh/vendor-completions \
	    CFLAGS="$(DEB_FLAGS) -fPIE" \
	    CPPFLAGS="$$(dpkg-buildflags --get CPPFLAGS)" \
	    LDFLAGS="$$(dpkg-buildflags --get LDFLAGS) -pie" >/dev/null
	@rm -f $(BUILD)/deb/root/usr/share/doc/jittrace/LICENSE
	@src/package/deb.sh $(VERSION) $(BUILD)/deb/root $(DEB)
	@echo $(DEB)

# The program and its libraries, to be unpacked anywhere.
PORTABLE = jittrace-$(VERSION)-x86_64

portable:
	@$(DEPS) build
	@rm -rf $(BUILD)/portable/root
	@$(MAKE) $(JOBS) install BUILD=$(BUILD)/portable \
	    PROGRAM=$(BUILD)/portable/jittrace PREFIX= \
	    DESTDIR=$(BUILD)/portable/root \
	    LDFLAGS='-Wl,-rpath,\$$$$ORIGIN/../lib' >/dev/null
	@src/package/portable.sh $(PORTABLE) $(BUILD)/portable/root \
	    $(BUILD)/$(PORTABLE).tar.gz
	@echo $(BUILD)/$(PORTABLE).tar.gz

# The sources as they were committed. The tarball builds without git.
dist:
	@mkdir -p $(BUILD)
	@git archive --prefix=jittrace-$(VERSION)/ HEAD | \
	    gzip -9n >$(BUILD)/jittrace-$(VERSION).tar.gz
	@echo $(BUILD)/jittrace-$(VERSION).tar.gz

# What is made for asciinema, Graphviz and gdb, given to them.
check-formats:
	@$(DEPS) build formats
	@$(MAKE) $(JOBS) all
	@tests/formats.sh ./$(PROGRAM)

# All three, tried; ROOTS names bare Debians to install the package in.
check-packages: deb portable dist
	@ROOTS='$(ROOTS)' tests/release.sh $(DEB) $(BUILD)/$(PORTABLE).tar.gz \
	    $(BUILD)/jittrace-$(VERSION).tar.gz

clean:
	rm -rf build jittrace

-include $(OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d) \
         $(GRADER_OBJECTS:.o=.d) \
         $(wildcard $(BUILD)/tests/fuzz/*.d) \
         $(wildcard $(BUILD)/tests/bench/*.d)
