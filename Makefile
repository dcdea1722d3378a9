# reqmail. `make` builds everything under build/; see INSTALL.
# Any conf-* value can be given here: make CONF_QMAIL=/some/where BUILD=build/x

first = $(shell sed -n $(2)p conf-$(1))
line1 = $(call first,$(1),1)

BUILD       ?= build
CONF_QMAIL  ?= $(call line1,qmail)
CONF_SPLIT  ?= $(call line1,split)
CONF_SPAWN  ?= $(call line1,spawn)
CONF_BREAK  ?= $(call line1,break)
CONF_PATRN  ?= $(call line1,patrn)
CONF_CC     ?= $(call line1,cc)
CONF_LD     ?= $(call line1,ld)
CONF_USERS  ?= $(shell sed -n 1,8p conf-users)
CONF_GROUPS ?= $(shell sed -n 1,2p conf-groups)

WARN   = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
         -Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2
CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L $(WARN) -Isrc -I$(BUILD)
COMPILE = $(CONF_CC) $(CFLAGS) -MMD -MP

# A room's programs: one file of the program's name with main. Everything else in
# the room is a part and goes into the room's archive.
PROGRAMS = \
    accept/qmail-smtpd accept/qmail-inject accept/sendmail \
    queue/qmail-queue queue/qmail-send queue/qmail-clean \
    deliver/qmail-lspawn deliver/qmail-local deliver/qmail-rspawn deliver/qmail-remote \
    deliver/qmail-tcpto deliver/qmail-tcpok \
    dotqmail/forward mailbox/maildirmake users/qmail-newu users/qmail-getpw \
    admin/qmail-start admin/splogger
# Helpers that stay in the build folder.
HELPERS  =
ROOMS    = accept queue deliver dotqmail mailbox users admin
LAYERS   = mail net base

ALL      = $(PROGRAMS) $(HELPERS)
BINARIES = $(addprefix $(BUILD)/bin/,$(notdir $(ALL)))
mains    = $(addprefix src/,$(addsuffix .c,$(ALL)))
parts    = $(filter-out $(mains),$(wildcard src/$(1)/*.c))
objects  = $(patsubst %.c,$(BUILD)/%.o,$(call parts,$(1)))
archive  = $(BUILD)/$(1).a
ARCHIVES = $(foreach l,$(LAYERS),$(call archive,$(l)))

.PHONY: it man setup check test sanitize lint format fuzz bench demo clean
.DELETE_ON_ERROR:
it: $(BINARIES)

$(BUILD)/%.o: %.c $(BUILD)/conf.h
	@mkdir -p $(@D)
	$(COMPILE) -c $< -o $@

define ROOM
$(call archive,$(1)): $(call objects,$(1))
	@mkdir -p $$(@D) && rm -f $$@ && ar rc $$@ $$^
endef
$(foreach r,$(ROOMS) $(LAYERS),$(eval $(call ROOM,$(r))))

define PROGRAM
$(BUILD)/bin/$(notdir $(1)): $(BUILD)/src/$(1).o $(call archive,$(firstword $(subst /, ,$(1)))) $(ARCHIVES)
	@mkdir -p $$(@D)
	$$(CONF_LD) -o $$@ $$^ -lresolv
endef
$(foreach p,$(ALL),$(eval $(call PROGRAM,$(p))))

# Unit tests: tests/unit/ROOM/NAME.c tests src/ROOM/NAME.c.
UNIT = $(patsubst %.c,$(BUILD)/%.t,$(wildcard tests/unit/*/*.c))
define UNIT_TEST
$(1): $(BUILD)/tests/unit/$(2)/$(3).o $(BUILD)/tests/unit/tap.o $(sort $(call archive,$(2))) $(filter-out $(call archive,$(2)),$(ARCHIVES)) $(ARCHIVES)
	$$(CONF_LD) -o $$@ $$^ -lresolv
endef
$(foreach t,$(UNIT),$(eval $(call UNIT_TEST,$(t),$(notdir $(patsubst %/,%,$(dir $(t)))),$(basename $(notdir $(t))))))
$(BUILD)/tests/%: CFLAGS += -Itests/unit

unit: $(UNIT)
	prove $(UNIT)

# The conf-* values, as C sees them; rewritten only when one of them changed.
$(BUILD)/conf.h: src/admin/conf.sh FORCE
	@mkdir -p $(@D)
	@sh src/admin/conf.sh '$(CONF_QMAIL)' '$(CONF_SPLIT)' '$(CONF_SPAWN)' '$(CONF_BREAK)' \
	    '$(CONF_PATRN)' '$(CONF_USERS)' '$(CONF_GROUPS)' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
FORCE:

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
