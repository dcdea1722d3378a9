#!/bin/sh
# run.sh BUILD SECONDS - every fuzz target of BUILD for so many seconds. What it finds
# beyond the corpus in the source stays in BUILD; what makes it stop is in BUILD too.
set -eu
build=$1 seconds=$2
for fuzzer in "$build"/tests/fuzz/*/*.fuzz; do
    name=${fuzzer#"$build/"}
    name=${name%.fuzz}
    mkdir -p "$build/$name.found"
    echo "$name"
    "$fuzzer" -max_total_time="$seconds" -artifact_prefix="$build/$name.crash-" \
        -verbosity=0 "$build/$name.found" "$name.corpus"
done
