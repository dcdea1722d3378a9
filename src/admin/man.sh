#!/bin/sh
# Formats manual pages: MAN/manN/NAME.N to MAN/catN/NAME.0, where that is older or
# missing. usage: man.sh MAN
set -eu

if command -v mandoc > /dev/null; then
    format() { mandoc -T ascii "$1"; }
elif command -v nroff > /dev/null; then
    format() { nroff -mandoc "$1"; }
else
    echo 'man: neither mandoc nor nroff is here; only the sources of the pages are installed'
    exit 0
fi

for page in "$1"/man?/*; do
    [ -e "$page" ] || continue
    section=${page##*.}
    name=${page##*/}
    cat=$1/cat$section/${name%.*}.0
    [ "$cat" -nt "$page" ] && continue
    mkdir -p "${cat%/*}"
    format "$page" > "$cat.new"
    mv "$cat.new" "$cat"
done
