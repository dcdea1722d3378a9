#!/bin/sh
# run.sh BUILD [PATTERN ...] - runs the fuzz targets of BUILD whose ROOM/NAME matches a
# pattern (all of them), one after the other, each for FUZZ_S seconds or FUZZ_RUNS
# executions, whichever is over first. Exits 1 if one has found something.
# What a target finds beyond the corpus in the source stays in BUILD/tests/fuzz/ROOM/
# NAME.found; what made it stop, and all that it said, is beside it.
set -u
build=$1
shift
set -f # patterns for names of targets, perhaps several in one argument, not for files
# shellcheck disable=SC2048,SC2086
set -- $*
set +f
runs=${FUZZ_RUNS:--1}
# with a number of executions the time is a bound for slow targets
if [ "$runs" = -1 ]; then seconds=${FUZZ_S:-60}; else seconds=${FUZZ_S:-3600}; fi
max_len=${FUZZ_LEN:-1024} # longer inputs are for the corpus: they are slow, and find little
# less freed memory kept and shorter traces of it: a quarter faster
ASAN_OPTIONS=quarantine_size_mb=8:malloc_context_size=5${ASAN_OPTIONS:+:$ASAN_OPTIONS}
export ASAN_OPTIONS
table=$(mktemp)
trap 'rm -f "$table"' EXIT
found=0

chosen() { # ROOM/NAME PATTERN ...
    name=$1
    shift
    [ $# -gt 0 ] || return 0
    for pattern; do
        # shellcheck disable=SC2254 # it is one
        case $name in $pattern) return 0 ;; esac
    done
    return 1
}

last() { # FILE EXPRESSION: what it finds last
    LC_ALL=C sed -n "s/$2/\\1/p" "$1" | tail -n 1
}

run() { # ROOM/NAME
    target=$build/tests/fuzz/$1 source=tests/fuzz/$1
    mkdir -p "$target.found"
    rm -f "$target".crash-* "$target".leak-* "$target".oom-* "$target".timeout-*
    set -- -runs="$runs" -max_total_time="$seconds" -max_len="$max_len" -rss_limit_mb=4096 \
        -print_final_stats=1 -artifact_prefix="$target." "$target.found" "$source.corpus"
    [ ! -e "$source.dict" ] || set -- -dict="$source.dict" "$@"
    "$target.fuzz" "$@" > "$target.log" 2>&1
    code=$?
    if [ "$code" -eq 0 ]; then finding=-; else finding=$(finding "$target.log" "$code"); fi
    printf '%-28s %12s %8s %6s  %s\n' "${source#tests/fuzz/}" \
        "$(last "$target.log" 'stat::number_of_executed_units: *\([0-9]*\).*')" \
        "$(last "$target.log" 'stat::average_exec_per_sec: *\([0-9]*\).*')" \
        "$(last "$target.log" '.* cov: \([0-9]*\) .*')" "$finding" | tee -a "$table"
    [ "$code" -eq 0 ] || report "$target"
}

finding() { # LOG CODE: in a few words
    words=$(LC_ALL=C sed -n -e 's/.*: broken: /broken: /p' -e 's/.*: runtime error: /undefined: /p' \
        -e 's/.*ERROR: [A-Za-z]*Sanitizer: \([a-z-]*\).*/\1/p' \
        -e 's/.*ERROR: libFuzzer: \(.*\)/\1/p' "$1" | head -n 1)
    echo "${words:-exit code $2}"
}

report() { # TARGET
    found=1
    echo "    what it said: $1.log"
    for input in "$1".crash-* "$1".leak-* "$1".oom-* "$1".timeout-*; do
        [ ! -e "$input" ] || echo "    once more:    $1.fuzz $input"
    done
}

heading=$(printf '%-28s %12s %8s %6s  %s' target executions per-s edges finding)
echo "$heading"
for fuzzer in $(find "$build/tests/fuzz" -name '*.fuzz' | LC_ALL=C sort); do
    name=${fuzzer#"$build/tests/fuzz/"}
    if chosen "${name%.fuzz}" "$@"; then run "${name%.fuzz}"; fi
done
[ -s "$table" ] || { echo "no target is named $*" >&2; exit 2; }
if [ "$found" -eq 0 ]; then echo 'no findings'; exit; fi
printf '\n%s\n' "$heading"
cat "$table"
exit 1
