#!/bin/sh
# make lint: form, known mistakes, and that what is named twice agrees.
# usage: lint.sh BUILD. FAST=1 leaves out tests/analysis.py, which takes minutes.
set -u
cd "$(dirname "$0")/.."
build=$1
sh tests/need.sh lint && { [ -n "${FAST-}" ] || sh tests/need.sh tidy; } || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
complain() { # TITLE: standard input is what is wrong, nothing if all is well
    cat > "$work/out"
    [ -s "$work/out" ] || return 0
    printf '%s:\n' "$1"
    sed 's/^/    /' "$work/out"
    : > "$work/bad"
}
differences() { # FILE FILE: what is in one alone
    LC_ALL=C comm -23 "$1" "$2" | sed "s,\$, is missing in $4,"
    LC_ALL=C comm -13 "$1" "$2" | sed "s,\$, is missing in $3,"
}
sources=$(find src tests -name '*.[ch]')

clang-format --dry-run -Werror --style=file:src/.clang-format $sources 2>&1 |
    complain 'not formatted (make format)'

# A room uses mail, mail uses net, net uses base; nothing else.
for file in $(find src -name '*.[ch]'); do
    room=${file#src/}
    room=${room%%/*}
    case $room in
    base) may='base' ;;
    net) may='net base' ;;
    mail) may='mail net base' ;;
    *) may="$room mail net base" ;;
    esac
    sed -n 's/^#include "\(.*\)".*/\1/p' "$file" | while read -r header; do
        case " $may conf.h built.h " in
        *" $header "*) ;;
        *" ${header%%/*} "*) ;;
        *) echo "$file includes $header" ;;
        esac
    done
done | complain 'includes in the wrong direction'

for header in $(find src -name '*.h'); do
    echo "#include \"${header#src/}\"" |
        cc -std=c11 -D_POSIX_C_SOURCE=200809L -Isrc -I"$build" -fsyntax-only -x c - 2>&1 |
        grep error: && echo "  in $header"
done | complain 'headers that do not compile alone'

grep -n '^#[ ]*if' $(find src -name '*.c') | grep -v '^src/base/\(os\|error\).c:' |
    complain 'conditional compilation outside base/os.c, and error.c for names of errors'
# "XXX" in quotes is the sender of a From_ line whose sender is not known
grep -nE '\b(TODO|FIXME|XXX|HACK)\b' $sources | grep -v '"XXX"' | complain 'unfinished'

cppcheck --quiet --std=c11 --library=tests/cppcheck.cfg --enable=warning,performance,portability --inline-suppr \
    --suppress=missingIncludeSystem --suppress=va_end_missing:src/base/die.c \
    --suppress=ctuuninitvar -D_POSIX_C_SOURCE=200809L -Isrc -I"$build" src 2>&1 |
    complain cppcheck
[ -n "${FAST-}" ] || python3 tests/analysis.py "$build" 2>&1 | complain 'static analysis (tests/analysis.answers)'

# Whether a page that another one refers to is installed here says nothing.
for page in man/*.[1-8]; do mandoc -T lint "$page" 2> /dev/null; done |
    grep -v -e 'referenced manual not found' -e 'outdated mandoc.db' | complain 'manual pages'

# Programs: the Makefile, README and src/README name the same ones, and each has
# its page. The list that is installed is made from the Makefile's.
LC_ALL=C
export LC_ALL
sed -n '/BUILT_PROGRAMS/,/BUILT_BOOT/s/.*"\(.*\)".*/\1/p' "$build/built.h" | sort > "$work/programs"
for file in README src/README; do
    sed -n 's/^| \([a-z0-9-]*\) |.*/\1/p' $file | grep -v '^program$' | sort > "$work/rows"
    differences "$work/programs" "$work/rows" Makefile $file
done | complain 'tables of programs'
while read -r program; do
    # sendmail's page is the system's own; its options are in that of qmail-inject
    [ "$program" = sendmail ] || [ -e "man/$program.1" ] || [ -e "man/$program.8" ] || echo "$program"
done < "$work/programs" | complain 'programs without a manual page'

# Control files: everything that is read is in qmail-control, and nothing else. What
# is read are the names given to control_*(), all short words in *_controls.c, and
# paths that are written out.
calls='control_(line|line_or_me|number|size|read_list|read_map)\( *"[a-z]+"'
{
    cat $(find src -name '*.c') | tr '\n' ' ' | grep -oE "$calls" | sed 's/.*"\(.*\)"/\1/'
    grep -ohE '"[a-z]+"' $(find src -name '*_controls.c') | tr -d '"' | grep -vx postmaster
    grep -ohE '"control/[a-z.]+"' $(find src -name '*.c') | sed 's,"control/\(.*\)",\1,' | grep -v '\.tmp$'
} | sort -u > "$work/read"
sed -n 's/^\.It Pa //p' man/qmail-control.5 | sed 's/ Pq .*//; s/ , /\n/g' | sort > "$work/described"
differences "$work/read" "$work/described" 'the code' man/qmail-control.5 | complain 'control files'

[ ! -e "$work/bad" ] || exit 1
echo 'lint: nothing to complain of'
