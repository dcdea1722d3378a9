#!/bin/sh
# Prints yes if COMPILER makes static programs, else no; BUILD keeps the answer for it.
# usage: has_light.sh BUILD "COMPILER..."
set -u
answer=$1/has-light
[ -n "$2" ] || { echo no; exit 0; }
if [ "$(sed 1q "$answer" 2> /dev/null)" != "$2" ]; then
    mkdir -p "$1" || exit 1
    echo '#include <pwd.h>
    int main(void) { return !getpwuid(0); }' |
        $2 -static -x c -o "$answer.out" - > /dev/null 2>&1 && has=yes || has=no
    rm -f "$answer.out"
    printf '%s\n%s\n' "$2" "$has" > "$answer.new"
    mv "$answer.new" "$answer"
fi
sed -n 2p "$answer"
