# config_write.sh - what config and config-fast have in common: read by both with
# program set to their name, and entered HOME/control when it is through.

umask 022
export LC_ALL=C

fail() {
    echo "$program: fatal: $1" >&2
    exit 111
}

home=${CONF_QMAIL:-$(sed 1q "$source/conf-qmail")} || exit 111
[ -d "$home/control" ] || fail "there is no $home/control; make setup makes it"

# The domain is the name without its first label, the plus domain its last two
# labels. A name of one or two labels stays whole.
set_domains() { # NAME
    case $1 in
    *.*.*)
        domain=${1#*.}
        plus=${1%.*}
        plus=${plus##*.}.${1##*.}
        ;;
    *) domain=$1 plus=$1 ;;
    esac
}

# Each file is on the disk, whole, before it gets its name.
publish() { # FILE: NEW is the content
    chmod 644 "$1.new" && sync "$1.new" && mv "$1.new" "$1" && sync . ||
        fail "unable to write $home/control/$1"
}
begin() { # FILE: something that is in the way is no link to elsewhere
    rm -f "$1.new" || fail "unable to write $home/control/$1"
}
write() { # FILE VALUE: a file with one line
    echo "Putting $2 into control/$1..."
    begin "$1"
    printf '%s\n' "$2" > "$1.new" || fail "unable to write $home/control/$1"
    publish "$1"
}
