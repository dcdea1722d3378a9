#!/bin/sh
# config-fast - fill HOME/control from one name, without asking DNS.
#
# runs as  root, from the source directory: ./config-fast your.full.host.name
# reads    conf-qmail beside it; CONF_QMAIL in the environment comes first
# writes   HOME/control: me, defaultdomain, plusdomain; adds to locals, rcpthosts
# exits    0 done, 100 no name given, 111 a file could not be written
set -eu
program=config-fast source=$(dirname "$0")

fqdn=${1-}
case $fqdn in
'')
    echo 'config-fast: usage: config-fast your.full.host.name' >&2
    exit 100
    ;;
*[[:space:][:cntrl:]]* | .* | *. | *..* | */* | *@* | *:*)
    echo "config-fast: usage: config-fast your.full.host.name; this is no name: $fqdn" >&2
    exit 100
    ;;
esac
. "$source/src/admin/config_write.sh"
cd "$home/control" || exit 111

add() { # FILE LINE: to a list, once
    echo "Putting $2 into control/$1..."
    begin "$1"
    [ ! -e "$1" ] || cat "$1" > "$1.new" || fail "unable to write $home/control/$1"
    if [ ! -e "$1.new" ] || ! grep -Fqx -e "$2" "$1.new"; then
        # a last line that was cut is ended first
        { [ ! -e "$1.new" ] || [ -z "$(tail -c 1 "$1.new")" ] || echo >> "$1.new"; } &&
            printf '%s\n' "$2" >> "$1.new" || fail "unable to write $home/control/$1"
    fi
    publish "$1"
}

echo "Your fully qualified host name is $fqdn."
set_domains "$fqdn"
write me "$fqdn"
write defaultdomain "$domain"
write plusdomain "$plus"
add locals "$fqdn"
add rcpthosts "$fqdn"
echo "Now qmail will refuse to accept SMTP messages except to $fqdn."
echo 'Make sure to change rcpthosts if you add hosts to locals or virtualdomains!'
