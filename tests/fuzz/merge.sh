#!/bin/sh
# merge.sh BUILD ROOM/NAME ... - adds to the corpora in the source those inputs which
# targets of BUILD have found and which go where none in the source goes, the smallest.
set -eu
build=$1
shift
for name; do
    target=$build/tests/fuzz/$name corpus=tests/fuzz/$name.corpus
    "$target.fuzz" -merge=1 -use_counters=0 -max_len=1024 "$corpus" "$target.found" \
        > "$target.merge.log" 2>&1
    echo "$name: $(find "$corpus" -type f | wc -l) inputs, $(cat "$corpus"/* | wc -c) bytes"
done
