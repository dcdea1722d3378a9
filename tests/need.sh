#!/bin/sh
# Sees that the packages of tests/packages are there that PURPOSE wants: installs
# what is missing on Debian as root, else names it and exits 1. What is only to be
# unpacked may be missing.
# usage: need.sh PURPOSE
set -eu
PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$0")"
unpacked=$(pwd)/../build/unpacked

unpack() { # PACKAGE[,DIRECTORY]
    package=${1%%,*} into=$unpacked/${1#*,}
    work=$(mktemp -d)
    mkdir -p "$into"
    (cd "$work" && apt-get download "$package" && dpkg -x "$package"_*.deb "$into") > "$work/log" 2>&1 < /dev/null ||
        echo "Not here, and cannot be unpacked: $package" >&2
    rm -rf "$work"
}

missing= to_unpack=
while read -r package shown_by purposes; do
    case " $purposes " in *" $1 "*) ;; *) continue ;; esac
    case $package in '#'*) continue ;; esac
    case $shown_by in
    =*)
        into=${shown_by#=}
        [ -e "$unpacked/$into" ] || to_unpack="$to_unpack $package,${into%%usr/*}"
        ;;
    *) command -v "$shown_by" > /dev/null || [ -e "$shown_by" ] || missing="$missing $package" ;;
    esac
done < packages

if [ -n "$missing" ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
        echo "Not here, but needed:$missing" >&2
        echo "On Debian, root installs them with: apt-get install$missing" >&2
        exit 1
    fi
    echo "Installing what is missing:$missing"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } \
        > "$log" 2>&1 < /dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        echo "These packages are needed and could not be installed, for the reason above:$missing" >&2
        exit 1
    fi
    rm -f "$log"
fi
for package in $to_unpack; do unpack "$package"; done
