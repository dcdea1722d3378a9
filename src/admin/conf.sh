#!/bin/sh
# Prints conf.h: the values of the conf-* files for C. Refuses what cannot work.
# usage: conf.sh HOME SPLIT SPAWN BREAK PATRN "USER..." "GROUP..."
set -eu
home=$1 split=$2 spawn=$3 break=$4 patrn=$5 users=$6 groups=$7

refuse() {
    echo "$1" >&2
    exit 1
}
digits() { case $2 in '' | *[!0-9]*) refuse "Oops. $1 must be a number." ;; esac; }

case $home in /*) ;; *) refuse "Oops. conf-qmail must begin with a slash." ;; esac
digits conf-split "$split"
digits conf-spawn "$spawn"
digits conf-patrn "$patrn"
[ "$split" -ge 1 ] || refuse "Oops. You have set conf-split lower than 1."
[ "$spawn" -ge 1 ] || refuse "Oops. You have set conf-spawn lower than 1."
[ "$spawn" -le 65535 ] || refuse "Oops. You have set conf-spawn higher than 65535."
[ "${#break}" -eq 1 ] || refuse "Oops. conf-break must be one character."
case $break in "'" | \\) break="\\$break" ;; esac

set -- $users
[ $# -eq 8 ] || refuse "Oops. conf-users must have eight names."
names="$*"
set -- $groups
[ $# -eq 2 ] || refuse "Oops. conf-groups must have two names."

cat << EOF
#ifndef CONF_H
#define CONF_H
#define CONF_QMAIL "$home"
#define CONF_SPLIT $split
#define CONF_SPAWN $spawn
#define CONF_BREAK '$break'
#define CONF_PATRN 0$patrn
#define CONF_GROUP_QMAIL "$1"
#define CONF_GROUP_NOFILES "$2"
EOF
set -- $names
for what in ALIAS DAEMON LOG OWNER PASSWD QUEUE REMOTE SEND; do
    echo "#define CONF_USER_$what \"$1\""
    shift
done
echo "#endif"
