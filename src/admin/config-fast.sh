#!/bin/sh
# config-fast - fill HOME/control from one name, without asking DNS.
#
# runs as  root, from the source directory: ./config-fast your.full.host.name
# reads    conf-qmail beside it; CONF_QMAIL in the environment comes first
# writes   HOME/control: me, defaultdomain, plusdomain; adds to locals, rcpthosts
# exits    0 done, 100 no name given, 111 a file could not be written
set -eu
umask 022

if [ -z "${1-}" ]; then
    echo 'config-fast: usage: config-fast your.full.host.name' >&2
    exit 100
fi
fqdn=$1
home=${CONF_QMAIL:-$(sed 1q "$(dirname "$0")/conf-qmail")}
cd "$home/control" || exit 111

# The domain is the name without its first label, the plus domain its last two
# labels. A name of one or two labels stays whole.
case $fqdn in
*.*.*)
    domain=${fqdn#*.}
    last=${fqdn##*.}
    rest=${fqdn%.*}
    plus=${rest##*.}.$last
    ;;
*) domain=$fqdn plus=$fqdn ;;
esac

write() { # a file with one line, whole at any time
    echo "Putting $2 into control/$1..."
    printf '%s\n' "$2" > "$1.new" && chmod 644 "$1.new" && mv "$1.new" "$1" || exit 111
}
add() { # a line to a list, once
    echo "Putting $2 into control/$1..."
    [ -e "$1" ] || : > "$1" || exit 111
    if ! grep -Fqx -e "$2" "$1"; then
        [ -z "$(tail -c 1 "$1")" ] || echo >> "$1" || exit 111 # a cut last line
        printf '%s\n' "$2" >> "$1" || exit 111
    fi
    chmod 644 "$1" || exit 111
}

echo "Your fully qualified host name is $fqdn."
write me "$fqdn"
write defaultdomain "$domain"
write plusdomain "$plus"
add locals "$fqdn"
add rcpthosts "$fqdn"
echo "Now qmail will refuse to accept SMTP messages except to $fqdn."
echo 'Make sure to change rcpthosts if you add hosts to locals or virtualdomains!'
