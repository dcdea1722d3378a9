#!/bin/sh
# config - fill HOME/control from what DNS knows of this host.
#
# runs as  root, from the source directory: ./config
# runs     hostname, dnsfq, dnsip, dnsptr, ipmeprint of the current directory
# reads    conf-qmail beside it; CONF_QMAIL in the environment comes first
# writes   HOME/control: me, defaultdomain, plusdomain, locals, rcpthosts
# exits    0, also where DNS does not know the host; 111 a file could not be written
#
# What DNS says is not to be trusted: a name with other bytes than names have counts
# as none.
set -eu
program=config source=$(dirname "$0")
. "$source/src/admin/config_write.sh"
here=$(pwd)

for helper in hostname dnsfq dnsip dnsptr ipmeprint; do
    [ -x "./$helper" ] || fail "there is no ./$helper; run make, then ./config in the source directory"
done
run() { # HELPER ARGUMENT...: in the directory where we began
    (cd "$here" && "./$@")
}
name_of() { # HELPER ARGUMENT...: one name, or nothing
    found=$(run "$@") || found=
    case $found in *[!A-Za-z0-9._-]* | -* | .*) found= ;; esac
    printf '%s' "${found%.}"
}
lower() { tr A-Z a-z; }
set_up_yourself() {
    echo "Sorry, I couldn't find your $1."
    echo 'You will have to set up control/me yourself.'
    exit 0
}

name=$(name_of hostname | lower)
[ -n "$name" ] || set_up_yourself hostname
echo "Your hostname is $name."
fqdn=$(name_of dnsfq "$name" | lower)
[ -n "$fqdn" ] || set_up_yourself "host's canonical name in DNS"
echo "Your host's fully qualified name in DNS is $fqdn."
set_domains "$fqdn"

cd "$home/control" || exit 111
write me "$fqdn"
write defaultdomain "$domain"
write plusdomain "$plus"
echo ' '
echo 'Checking local IP addresses:'
begin locals
: > locals.new || fail "unable to write $home/control/locals"
addresses=$( (run dnsip "$fqdn" || :; run ipmeprint) | sort -u)
for address in $addresses; do
    host=$(name_of dnsptr "$address" 2> /dev/null)
    if [ -n "$host" ]; then
        echo "$address: Adding $host to control/locals..."
        printf '%s\n' "$host" >> locals.new || fail "unable to write $home/control/locals"
    else
        echo "$address: PTR lookup failed. I assume this address has no DNS name."
    fi
done
publish locals
echo ' '
echo 'If there are any other domain names that point to you,'
echo "you will have to add them to $home/control/locals."
echo "You don't have to worry about aliases, i.e., domains with CNAME records."
echo ' '
echo "Copying $home/control/locals to $home/control/rcpthosts..."
begin rcpthosts
cat locals > rcpthosts.new || fail "unable to write $home/control/rcpthosts"
publish rcpthosts
echo 'Now qmail will refuse to accept SMTP messages except to those hosts.'
echo 'Make sure to change rcpthosts if you add hosts to locals or virtualdomains!'
