#!/bin/sh
# Prints yes if programs can be linked with crypt(3), else no; BUILD keeps the answer.
# usage: has_crypt.sh BUILD "COMPILER..."
set -u
answer=$1/has-crypt
if [ ! -e "$answer" ]; then
    mkdir -p "$1" || exit 1
    echo 'char *crypt(const char *, const char *); int main(void) { return !crypt("", ""); }' |
        $2 -x c -o "$answer.out" - -lcrypt > /dev/null 2>&1 && echo yes > "$answer.new" ||
        echo no > "$answer.new"
    rm -f "$answer.out"
    mv "$answer.new" "$answer"
fi
cat "$answer"
