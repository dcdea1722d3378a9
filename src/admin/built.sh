#!/bin/sh
# Prints built.h: what the build makes that gets installed, for install_list.c.
# usage: built.sh BUILD "PROGRAM..." "BOOT-SCRIPT..." "man/PAGE.N..." "doc/FILE..."
set -eu

list() {
    printf '#define %s' "$1"
    shift
    for name; do printf ' \\\n    "%s",' "$name"; done
    echo
}
pages() { # KIND PAGE...: manN/NAME.N, or catN/NAME.0
    kind=$1
    shift
    for page; do
        page=${page##*/}
        section=${page##*.}
        case $kind in
        man) echo "man$section/$page" ;;
        cat) echo "cat$section/${page%.*}.0" ;;
        esac
    done
}

echo '#ifndef BUILT_H'
echo '#define BUILT_H'
printf '#define BUILT_DIR "%s"\n' "$1"
list BUILT_PROGRAMS $2
list BUILT_BOOT $3
list BUILT_MAN $(pages man $4)
list BUILT_CAT $(pages cat $4)
list BUILT_DOC $(for file in $5; do echo "${file##*/}"; done)
echo '#endif'
