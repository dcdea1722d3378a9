#!/bin/sh
# Prints conf.h: the version and the values of the conf-* files for C. Refuses what
# cannot work.
# usage: conf.sh VERSION HOME SPLIT SPAWN BREAK PATRN "USER..." "GROUP..."
set -eu
LC_ALL=C
export LC_ALL
version=$1 home=$2 split=$3 spawn=$4 break=$5 patrn=$6 users=$7 groups=$8
most=65535

refuse() {
    echo "Oops. $1" >&2
    exit 1
}

# Sets number to that of a conf file: decimal, from 1 to $most.
number() { # FILE VALUE
    case ${2#-} in '' | *[!0-9]*) refuse "$1 must be a number." ;; esac
    number=${2##-*} # what is negative is as good as none
    while [ "${number#0}" != "$number" ]; do number=${number#0}; done # C has them octal
    [ -n "$number" ] || refuse "You have set $1 lower than 1."
    [ ${#number} -le ${#most} ] && [ "$number" -le $most ] ||
        refuse "You have set $1 higher than $most."
}

# What becomes a C string, a word of make and of sed, and a file name.
plain() { # FILE VALUE
    case $2 in *[!A-Za-z0-9/._+-]*)
        refuse "$1 may hold letters, digits and /._+- alone: $2" ;;
    esac
}
names() { # FILE WANTED NAME...
    file=$1 wanted=$2
    shift 2
    for name; do
        plain "$file" "$name"
        case $name in -* | */*) refuse "$file: no user or group can be called $name" ;; esac
    done
    case $wanted:$# in
    eight:8 | two:2) ;;
    *) refuse "$file must have $wanted names." ;;
    esac
}

case $version in '' | *[!0-9A-Za-z.+~-]*) refuse "VERSION must be a version, such as 1.0." ;; esac
case $home in
/*[!/]) plain conf-qmail "$home" ;;
/*) refuse "conf-qmail must not end in a slash." ;;
*) refuse "conf-qmail must begin with a slash." ;;
esac
number conf-split "$split"
split=$number
number conf-spawn "$spawn"
spawn=$number
# what may stand in a local part and in a file name, and is no letter or digit
[ "${#break}" -eq 1 ] || refuse "conf-break must be one character."
case $break in [-+=_.%~^!*\#\$?\|{}\`]) ;; *)
    refuse "conf-break must be one of - + = _ . % ~ ^ ! * # \$ ? | { } \`" ;;
esac
case $patrn in '' | *[!0-7]*) refuse "conf-patrn must be a number in octal." ;; esac
[ ${#patrn} -le 4 ] || refuse "conf-patrn must be at most 0777."
[ $((0$patrn)) -le $((0777)) ] || refuse "conf-patrn must be at most 0777."
set -f
names conf-users eight $users
names conf-groups two $groups

set -- $groups
cat << END
#ifndef CONF_H
#define CONF_H
#define CONF_VERSION "$version"
#define CONF_QMAIL "$home"
#define CONF_SPLIT $split
#define CONF_SPAWN $spawn
#define CONF_BREAK '$break'
#define CONF_PATRN 0$patrn
#define CONF_GROUP_QMAIL "$1"
#define CONF_GROUP_NOFILES "$2"
END
set -- $users
for what in ALIAS DAEMON LOG OWNER PASSWD QUEUE REMOTE SEND; do
    echo "#define CONF_USER_$what \"$1\""
    shift
done
echo "#endif"
