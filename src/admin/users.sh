#!/bin/sh
# Makes the groups and users of conf-groups and conf-users that are missing, and
# says which. Existing ones stay as they are. With -n it only prints the commands.
# usage, as root: users.sh [-n] HOME "USER..." "GROUP..."
set -eu
PATH=$PATH:/usr/sbin:/sbin
do=
[ "$1" != -n ] || { do=: && shift; }
home=$1 users=$2 groups=$3

set -- $groups
[ $# -eq 2 ] || { echo 'users.sh: two groups are needed' >&2; exit 1; }
queue_group=$1 other_group=$2
for group in "$queue_group" "$other_group"; do
    getent group "$group" > /dev/null && continue
    echo "groupadd $group"
    $do groupadd -r "$group"
done

set -- $users
[ $# -eq 8 ] || { echo 'users.sh: eight users are needed' >&2; exit 1; }
add() { # USER GROUP HOME
    getent passwd "$1" > /dev/null && return
    echo "useradd -g $2 -d $3 -s /usr/sbin/nologin $1"
    # no home is made: installation makes HOME/alias
    $do useradd -r -M -g "$2" -d "$3" -s /usr/sbin/nologin "$1"
}
add "$1" "$other_group" "$home/alias"
add "$2" "$other_group" "$home"
add "$3" "$other_group" "$home"
add "$5" "$other_group" "$home"
add "$6" "$queue_group" "$home"
add "$7" "$queue_group" "$home"
add "$8" "$queue_group" "$home"
