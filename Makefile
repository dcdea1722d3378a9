# reqmail. `make` builds everything under build/; see INSTALL.
# Any conf-* value can be given here: make CONF_QMAIL=/some/where BUILD=build/x

hash := \#
first = $(shell sed -n $(2)p conf-$(1))
comma := ,
line1 = $(call first,$(1),1)

BUILD       ?= build
VERSION     := $(shell sed 1q VERSION)
CONF_QMAIL  ?= $(call line1,qmail)
CONF_SPLIT  ?= $(call line1,split)
CONF_SPAWN  ?= $(call line1,spawn)
CONF_BREAK  ?= $(call line1,break)
CONF_PATRN  ?= $(call line1,patrn)
CONF_CC     ?= $(call line1,cc)
CONF_LD     ?= $(call line1,ld)
CONF_LIGHT  ?= $(call line1,light)
CONF_USERS  ?= $(shell sed -n 1,8p conf-users)
CONF_GROUPS ?= $(shell sed -n 1,2p conf-groups)

WARN   = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
         -Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2
CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L $(WARN) -Isrc -I$(BUILD)
SANITIZE = cc -fsanitize=address,undefined -fno-sanitize-recover=undefined
COUNTED  = $(if $(findstring COVERAGE_COUNTS,$(CONF_LD)),tests/coverage.c)
LINK     = $(CONF_LD) $(if $(findstring sanitize,$(CONF_LD)),-I$(BUILD) tests/sanitize.c) $(COUNTED)
SOURCES = $(shell find src tests -name '*.[ch]')
COMPILE = $(CONF_CC) $(CFLAGS) -MMD -MP

# A room's programs: one file of the program's name with main. Everything else in
# the room is a part and goes into the room's archive.
PROGRAMS = \
    accept/qmail-smtpd accept/qmail-inject accept/sendmail \
    accept/qmail-rcptcheck accept/qmail-rcptcheck-nss accept/mailsubj accept/predate accept/datemail \
    accept/qmail-qmtpd accept/qmail-qmqpd accept/qmail-qmqpc accept/tcp-env \
    queue/qmail-queue queue/qmail-send queue/qmail-clean \
    queue/qmail-qread queue/qmail-qstat queue/qmail-qfix queue/qmail-qctl \
    deliver/qmail-lspawn deliver/qmail-local deliver/qmail-rspawn deliver/qmail-remote deliver/qmail-remote-dns \
    deliver/qmail-tcpto deliver/qmail-tcpok \
    dotqmail/forward dotqmail/condredirect dotqmail/bouncesaying dotqmail/except \
    dotqmail/preline dotqmail/qreceipt dotqmail/qbiff mailbox/maildirmake mailbox/maildir2mbox \
    mailbox/maildirwatch mailbox/qail mailbox/elq mailbox/pinq \
    mailbox/qmail-popup mailbox/qmail-pop3d users/qmail-newu users/qmail-getpw \
    users/qmail-getpw-nss users/qmail-pw2u \
    admin/qmail-start admin/splogger admin/qmail-newmrh admin/qmail-showctl \
    admin/qmail-log
# crypt(3) is no part of POSIX without XSI.
HAS_CRYPT := $(shell sh src/admin/has_crypt.sh '$(BUILD)' '$(CONF_CC)')
ifeq ($(HAS_CRYPT),yes)
PROGRAMS += users/checkpassword
endif
# Programs that are started for every message, or fork for it, and need no NSS:
# made with conf-light's compiler where it is there, from objects of its own.
HAS_LIGHT := $(shell sh src/admin/has_light.sh '$(BUILD)' '$(CONF_LIGHT)')
ifeq ($(HAS_LIGHT),yes)
LIGHT = accept/qmail-smtpd accept/qmail-inject accept/sendmail accept/mailsubj accept/predate \
    accept/datemail accept/qmail-qmtpd accept/qmail-qmqpd accept/qmail-qmqpc \
    queue/qmail-queue queue/qmail-send queue/qmail-clean deliver/qmail-local \
    users/qmail-getpw accept/qmail-rcptcheck deliver/qmail-lspawn deliver/qmail-rspawn deliver/qmail-remote \
    $(filter-out dotqmail/qbiff,$(filter dotqmail/%,$(PROGRAMS)))
endif
# Helpers that stay in the build folder.
HELPERS  = admin/instpackage admin/instchown admin/instcheck \
           admin/qmail-upq admin/hostname admin/ipmeprint admin/dnsip admin/dnsptr admin/dnsfq
BOOT     = $(foreach b,home proc binm1 binm2 binm3,$(b) $(b)+df)
SERVICES = $(notdir $(patsubst %/run,%,$(wildcard service/*/run)))
PAGES    = $(wildcard man/*.[1-8])
DOCS     = $(wildcard doc/*.md)
ROOMS    = accept queue deliver dotqmail mailbox users admin
LAYERS   = mail net base

ALL      = $(PROGRAMS) $(HELPERS)
BENCH    = $(addprefix $(BUILD)/tests/bench/,limit watch skeleton)
TRIP     = $(BUILD)/tests/proof/trip
TURNED   = $(addprefix $(BUILD)/tests/proof/turned/,$(notdir $(filter accept/% queue/% deliver/% mailbox/%,$(PROGRAMS))))
BINARIES = $(addprefix $(BUILD)/bin/,$(notdir $(PROGRAMS))) \
           $(addprefix $(BUILD)/,$(notdir $(HELPERS)))
BOOTFILES = $(addprefix $(BUILD)/boot/,$(BOOT))
SERVICEFILES = $(foreach s,$(SERVICES),$(BUILD)/service/$(s)/run $(BUILD)/service/$(s)/log/run) \
           $(foreach f,pop-seen stop tcp.smtp tcp.qmqp README,$(BUILD)/service/$(f))
MANFILES = $(foreach p,$(PAGES),$(BUILD)/man/man$(subst .,,$(suffix $(p)))/$(notdir $(p)))
mains    = $(addprefix src/,$(addsuffix .c,$(ALL) users/checkpassword))
parts    = $(filter-out $(mains),$(wildcard src/$(1)/*.c))
# $(2) is empty, or light/ for the objects and archives of the light programs.
objects  = $(patsubst %.c,$(BUILD)/$(2)%.o,$(call parts,$(1)))
archive  = $(BUILD)/$(2)$(1).a
ARCHIVES = $(foreach l,$(LAYERS),$(call archive,$(l)))

.PHONY: it man setup package check test proof unit sanitize coverage lint format fuzz fuzzed bench demo clean
.DELETE_ON_ERROR:
it: $(BINARIES) $(BOOTFILES) $(SERVICEFILES) $(MANFILES)
ifneq ($(HAS_CRYPT),yes)
	@echo 'checkpassword is not built: there is no crypt(3) here (Debian: libcrypt-dev)'
endif

$(BUILD)/%.o: %.c $(BUILD)/conf.h
	@mkdir -p $(@D)
	$(COMPILE) -c $< -o $@

$(BUILD)/light/%.o: %.c $(BUILD)/conf.h
	@mkdir -p $(@D)
	$(CONF_LIGHT) $(CFLAGS) -ffunction-sections -MMD -MP -c $< -o $@

define ROOM
$(call archive,$(1),$(2)): $(call objects,$(1),$(2))
	@mkdir -p $$(@D) && rm -f $$@ && ar rc $$@ $$^
endef
$(foreach r,$(ROOMS) $(LAYERS),$(eval $(call ROOM,$(r)))$(eval $(call ROOM,$(r),light/)))

# $(1) is ROOM/NAME, $(2) where NAME goes.
room = $(firstword $(subst /, ,$(1)))
define PROGRAM
$(2)/$(notdir $(1)): $(BUILD)/src/$(1).o $(call archive,$(room)) $(ARCHIVES)
	@mkdir -p $$(@D)
	$$(LINK) -o $$@ $$^ -lresolv $$(LIBS)
endef
define LIGHT_PROGRAM
$(2)/$(notdir $(1)): $(BUILD)/light/src/$(1).o $(foreach a,$(room) $(LAYERS),$(call archive,$(a),light/))
	@mkdir -p $$(@D)
	$$(CONF_LIGHT) -s -static -Wl,--gc-sections -o $$@ $$^
endef
$(BUILD)/bin/checkpassword: LIBS = -lcrypt
$(foreach p,$(filter-out $(LIGHT),$(PROGRAMS)),$(eval $(call PROGRAM,$(p),$(BUILD)/bin)))
$(foreach p,$(LIGHT),$(eval $(call LIGHT_PROGRAM,$(p),$(BUILD)/bin)))
$(foreach p,$(HELPERS),$(eval $(call PROGRAM,$(p),$(BUILD))))

$(BOOTFILES): $(BUILD)/boot/%: src/admin/boot.sh $(BUILD)/conf.h
	@mkdir -p $(@D)
	@sh src/admin/boot.sh $* '$(CONF_QMAIL)' > $@

# Services for svscan, to be copied: HOME and users are filled in. A service with a
# log has its sticky bit set.
FILL_IN = sed 's,/var/qmail,$(CONF_QMAIL),g; s,@DAEMON@,$(word 2,$(CONF_USERS)),; s,@LOG@,$(word 3,$(CONF_USERS)),'
define SERVICE
$(BUILD)/service/$(1)/run: service/$(1)/run $(BUILD)/conf.h
	@mkdir -p $$(@D)/log $$(@D)/env && chmod 1755 $$(@D)
	@$$(FILL_IN) $$< > $$@ && chmod 755 $$@
$(BUILD)/service/$(1)/log/run: service/log-run $(BUILD)/service/$(1)/run
	@$$(FILL_IN) $$< > $$@ && chmod 755 $$@
endef
$(foreach s,$(SERVICES),$(eval $(call SERVICE,$(s))))
$(BUILD)/service/%: service/% $(BUILD)/conf.h
	@mkdir -p $(@D)
	@$(FILL_IN) $< > $@ && chmod $(if $(findstring tcp.,$@)$(findstring README,$@),644,755) $@

# Manual pages say /var/qmail, @BREAK@ and @SPAWN@ for what conf-* set.
define PAGE
$(BUILD)/man/man$(subst .,,$(suffix $(1)))/$(notdir $(1)): $(1) $(BUILD)/conf.h
	@mkdir -p $$(@D)
	@sed 's,/var/qmail,$(CONF_QMAIL),g; s,@BREAK@,$$(CONF_BREAK),g; s,@SPAWN@,$(CONF_SPAWN),g' $$< > $$@
endef
$(foreach p,$(PAGES),$(eval $(call PAGE,$(p))))

man: $(MANFILES)
	@sh src/admin/man.sh $(BUILD)/man

# As admins know them: make setup check. DESTDIR counts for all three.
setup: it man
	$(BUILD)/instpackage
	@$(BUILD)/instchown; status=$$?; \
	missing=$$(sh src/admin/users.sh -n '$(CONF_QMAIL)' '$(CONF_USERS)' '$(CONF_GROUPS)') && \
	[ -z "$$missing" ] || printf 'Accounts are missing. This makes them:\n%s\n' "$$missing" >&2; \
	exit $$status
package: it man
	$(BUILD)/instpackage
check: it man $(filter setup package,$(MAKECMDGOALS))
	$(BUILD)/instcheck -e

# Unit tests: tests/unit/ROOM/NAME.c tests src/ROOM/NAME.c.
UNIT = $(patsubst %.c,$(BUILD)/%.t,$(wildcard tests/unit/*/*.c))
define UNIT_TEST
$(1): $(BUILD)/tests/unit/$(2)/$(3).o $(BUILD)/tests/unit/tap.o $(sort $(call archive,$(2))) $(filter-out $(call archive,$(2)),$(ARCHIVES)) $(ARCHIVES)
	$$(LINK) -o $$@ $$^ -lresolv $$(LIBS)
endef
$(foreach t,$(UNIT),$(eval $(call UNIT_TEST,$(t),$(notdir $(patsubst %/,%,$(dir $(t)))),$(basename $(notdir $(t))))))
$(BUILD)/tests/%: CFLAGS += -Itests/unit
# Those that ask for system calls that fail: tests/unit/fault.h.
FAULTY := $(patsubst %.c,$(BUILD)/%.t,$(shell grep -l '"fault.h"' tests/unit/*/*.c))
FAULTS := $(shell sed -n \
    's/^FUNCTION.[^,]*, \([a-z0-9_]*\),.*/\1/p; s/^[a-z].* __wrap_\([a-z0-9_]*\).*[,;]$$/\1/p' \
    tests/unit/fault.c)
$(FAULTY): $(BUILD)/tests/unit/fault.o
$(FAULTY): LIBS = $(addprefix -Wl$(comma)--wrap=,$(FAULTS))

# Fuzz targets: tests/fuzz/ROOM/NAME.c feeds src/ROOM/NAME.c. make test replays
# tests/fuzz/ROOM/NAME.corpus; make fuzz looks for more: tests/fuzz/README.
FUZZ    = clang -fsanitize=address,undefined -fno-sanitize-recover=undefined
REPLAY  = $(patsubst %.c,$(BUILD)/%.t,$(wildcard tests/fuzz/*/*.c))
FUZZED  = $(REPLAY:.t=.fuzz)
FAKED   = open close read write send poll pipe2 fcntl unlink rename lstat time clock_gettime alarm sigaction
FAKE    = $(BUILD)/tests/fuzz/fake.a
$(FAKE): $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/fuzz/fake_*.c))
	@rm -f $@ && ar rc $@ $^
fuzz_link = $(foreach f,$(FAKED),-Wl,--wrap=$(f)) $(^) -lresolv
fuzz_of   = $(1).o $(FAKE) $(sort $(call archive,$(2))) $(filter-out $(call archive,$(2)),$(ARCHIVES)) $(ARCHIVES)
define FUZZ_TARGET
$(1).t: $(BUILD)/tests/fuzz/replay.o $(call fuzz_of,$(1),$(2))
	$$(LINK) -o $$@ $$(fuzz_link) $(FAKE)
$(1).fuzz: $(call fuzz_of,$(1),$(2))
	$$(CONF_LD) -fsanitize=fuzzer -o $$@ $$(fuzz_link) $(FAKE)
endef
$(foreach t,$(basename $(REPLAY)),$(eval $(call FUZZ_TARGET,$(t),$(notdir $(patsubst %/,%,$(dir $(t)))))))
$(BUILD)/tests/fuzz/%.o: CFLAGS += -Itests/fuzz $(FUZZ_OURS)

fuzz:
	$(MAKE) fuzzed BUILD=build/fuzz CONF_CC='$(FUZZ) -fsanitize=fuzzer-no-link -O2 -g' CONF_LD='$(FUZZ)' CONF_LIGHT= \
	    FUZZ_OURS=-fno-sanitize=fuzzer
	@FUZZ_S='$(FUZZ_S)' FUZZ_RUNS='$(FUZZ_RUNS)' sh tests/fuzz/run.sh build/fuzz '$(FUZZERS)'
fuzzed: $(FUZZED)

unit: $(UNIT) $(REPLAY)
	prove $(UNIT) $(REPLAY)

# $(MAKE) for the system tests and the demo: they build trees of their own.
RUN_TESTS = BUILD='$(BUILD)' CONF_QMAIL='$(CONF_QMAIL)' CONF_USERS='$(CONF_USERS)' CONF_GROUPS='$(CONF_GROUPS)' \
    CONF_CC='$(CONF_CC)' CONF_LD='$(CONF_LD)' \
    CONF_LIGHT='$(CONF_LIGHT)' MAKE='$(MAKE)' sh tests/run.sh
test: it man $(BENCH) $(TRIP) $(TURNED) $(UNIT) $(REPLAY)
	@$(RUN_TESTS) $(UNIT) $(REPLAY)
# What make test proves with samples, in full: tests/proof.
proof: it man $(TRIP) $(TURNED)
	@PROOF=full $(RUN_TESTS)
sanitize:
	$(MAKE) test BUILD=build/sanitize CONF_CC='$(SANITIZE) -O1 -g' CONF_LD='$(SANITIZE)' CONF_LIGHT=
# What the tests execute: tests/coverage.py. Programs of all users write into COUNTS,
# which is emptied first unless KEEP=1 adds to what is there.
COUNTS ?= $(abspath build/coverage/counts)
COVERAGE = clang -fprofile-instr-generate
coverage:
	@sh tests/need.sh coverage
	@[ -n '$(KEEP)' ] || rm -rf '$(COUNTS)'
	@mkdir -p '$(COUNTS)' && chmod 1777 '$(COUNTS)'
	@EVERY=1 MOST=$${MOST:-12} $(MAKE) test BUILD=build/coverage CONF_LD='$(COVERAGE) -DCOVERAGE_COUNTS=$(COUNTS)' CONF_LIGHT= \
	    CONF_CC='$(COVERAGE) -fcoverage-mapping -mllvm -runtime-counter-relocation -O1 -g'; tested=$$?; \
	    python3 tests/coverage.py build/coverage '$(COUNTS)' && exit $$tested
lint: it
	@sh tests/lint.sh $(BUILD)
format:
	clang-format -i --style=file:src/.clang-format $(SOURCES)
# What tests/proof/trip knows by name: the system's calls and errors.
$(BUILD)/tests/proof/%.h: Makefile
	@mkdir -p $(@D)
	@{ echo '#include <errno.h>'; echo '#include <sys/syscall.h>'; } | $(CONF_CC) -E -dM - | LC_ALL=C sort | \
	    sed -n '$(if $(filter calls,$*),s/^$(hash)define SYS_\([a-z0-9_]*\) .*/CALL(\1)/p,s/^$(hash)define \(E[A-Z0-9]*\) [0-9]*$$/ERROR(\1)/p)' > $@
$(TRIP).o: $(BUILD)/tests/proof/calls.h $(BUILD)/tests/proof/errors.h
$(TRIP): %: %.o $(BUILD)/tests/traced.o $(ARCHIVES)
	$(LINK) -o $@ $^ -lresolv
# Programs whose clock tests/proof/clock.t can turn.
WRAPPED = time clock_gettime stat lstat fstat fstatat utimensat futimens
$(TURNED): LINK = $(CONF_LD) $(COUNTED) $(WRAPPED:%=-Wl,--wrap=%)
$(TURNED): $(BUILD)/tests/proof/turned.o
$(foreach p,$(filter $(addprefix %/,$(notdir $(TURNED))),$(PROGRAMS)),$(eval $(call PROGRAM,$(p),$(BUILD)/tests/proof/turned)))
# Measurements, as root: tests/bench/README.
$(BUILD)/tests/bench/watch: $(BUILD)/tests/traced.o
LIGHT_BENCH = $(if $(LIGHT),$(BUILD)/tests/bench/skeleton)
$(filter-out $(LIGHT_BENCH),$(BENCH)): %: %.o $(ARCHIVES)
	$(LINK) -o $@ $^ -lresolv
$(LIGHT_BENCH): $(BUILD)/%: $(BUILD)/light/%.o $(foreach a,$(LAYERS),$(call archive,$(a),light/))
	@mkdir -p $(@D)
	$(CONF_LIGHT) -s -static -Wl,--gc-sections -o $@ $^
bench: it $(BENCH)
	@sh tests/need.sh bench
	@BUILD='$(BUILD)' CONF_QMAIL='$(CONF_QMAIL)' CONF_USERS='$(CONF_USERS)' CONF_GROUPS='$(CONF_GROUPS)' \
	    python3 tests/bench/bench
demo:
	@MAKE='$(MAKE)' sh tests/demo.sh

# The conf-* values, as C sees them; rewritten only when one of them changed.
$(BUILD)/conf.h: src/admin/conf.sh FORCE
	@mkdir -p $(@D)
	@sh src/admin/conf.sh '$(VERSION)' '$(CONF_QMAIL)' '$(CONF_SPLIT)' '$(CONF_SPAWN)' '$(CONF_BREAK)' \
	    '$(CONF_PATRN)' '$(CONF_USERS)' '$(CONF_GROUPS)' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(BUILD)/built.h: src/admin/built.sh FORCE
	@mkdir -p $(@D)
	@sh src/admin/built.sh '$(BUILD)' '$(notdir $(PROGRAMS))' '$(BOOT)' '$(PAGES)' '$(DOCS)' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(BUILD)/src/admin/install_list.o: $(BUILD)/built.h
FORCE:

clean:
	rm -rf build

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)
