#!/bin/sh
# make demo: a private mail system, two messages through it, and an orderly end.
#
# runs as  root: with the user ids of conf-users; anybody else: with one user id
# uses     tcpserver, svscan and multilog; a free port on 127.0.0.1, or PORT
# writes   build/demo, or a new directory below /var/tmp where the users of the
#          mail system could not reach build/demo
# exits    0 when both messages were delivered and everything has stopped
#
# make demo KEEP=1 leaves the system up until this is interrupted; PORT=2525 listens
# there.
set -eu
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C
cd "$(dirname "$0")/.."
domain=demo.test
make=${MAKE:-make}
unset MAKEFLAGS MAKELEVEL MFLAGS BUILD DESTDIR || :

step() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*"; }
die() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}
wait_for() { # SECONDS COMMAND...: until the command succeeds
    tries=$(($1 * 10))
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.1
    done
}

# A directory that the mail system's users can reach, and nobody else's demo uses.
reachable() {
    dir=$1
    while [ "$dir" != / ]; do
        dir=$(dirname "$dir")
        case $(stat -c %A "$dir") in *[xt]) ;; *) return 1 ;; esac
    done
}
mine() { [ ! -e "$1" ] || { [ -w "$1" ] && [ -O "$1" ]; }; }
choose_place() {
    place=$(pwd)/build/demo
    case $place in
    *[!A-Za-z0-9/._-]*) why='has characters that conf-qmail may not have' ;;
    *) why= ;;
    esac
    mkdir -p build 2> /dev/null || :
    if [ ! -w build ] || ! mine "$place" || ! mine build/demo.lock; then
        why='is not ours to write to'
    elif [ "$(id -u)" = 0 ] && ! reachable "$place"; then
        why='cannot be reached by the users of the mail system'
    elif [ -z "$why" ]; then
        exec 9> build/demo.lock
        flock -n 9 || why='is used by another demo'
    fi
    if [ -n "$why" ]; then
        place=$(mktemp -d /var/tmp/reqmail-demo.XXXXXX)
        temporary=$place
        echo "build/demo $why, so this demo lives in $place."
    fi
    mkdir -p "$place"
    chmod 755 "$place"
    tree=$place/qmail
    output=$place/build
}

listen() { # PORT: prints it, or a free one for 0, if it can be listened on
    perl -MIO::Socket::INET -e '
        my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], ReuseAddr => 1)
            or die "$!\n";
        print $s->sockport, "\n"' "$1"
}
check_port() {
    case ${PORT-0} in '' | *[!0-9]* | ??????*) false ;; *) [ "${PORT-0}" -le 65535 ] ;; esac ||
        die "PORT=$PORT is no port: give a number up to 65535, as PORT=2525"
    why=$(listen "${PORT-0}" 2>&1) ||
        die "cannot listen on 127.0.0.1 port ${PORT-0}: $why. Give another, as PORT=2525, or none for a free one."
}
# What the system is to run as has to have a name: that is what gets compiled in.
check_user() {
    if ! id -un > /dev/null 2>&1 || ! id -gn > /dev/null 2>&1; then
        die "user $(id -u) or group $(id -g) has no name here, which the mail system needs: run this as a user that has one"
    fi
}

# -- the system

install_tree() {
    if [ "$(id -u)" = 0 ]; then
        users=$(sed 8q conf-users | tr '\n' ' ') groups=$(sed 2q conf-groups | tr '\n' ' ')
        sh src/admin/users.sh "$(sed 1q conf-qmail)" "$users" "$groups" ||
            die "the users and groups of the mail system are not there and cannot be made; see step 2 of INSTALL, or run this as another user than root"
    else
        me=$(id -un) my_group=$(id -gn)
        users="$me $me $me $me $me $me $me $me" groups="$my_group $my_group"
        echo "Not root, so everything runs as $me."
    fi
    rm -rf "$tree"
    $make -s -j2 BUILD="$output" CONF_QMAIL="$tree" CONF_USERS="$users" \
        CONF_GROUPS="$groups" it man > "$place/make.log" 2>&1 9>&- ||
        { cat "$place/make.log" >&2; die 'the build failed'; }
    "$output/instpackage"
    "$output/instchown"
    "$output/instcheck" -e
}

# Recipients without accounts of their own, by users/assign: mail for alice goes to
# her maildir, everything else to alias, which has no such address.
configure() {
    set -- $users
    alias_user=$1
    CONF_QMAIL=$tree ./config-fast $domain > /dev/null
    uid=$(id -u "$alias_user") gid=$(id -g "$alias_user")
    mkdir -p "$tree/home/alice"
    "$tree/bin/maildirmake" "$tree/home/alice/Maildir"
    [ "$(id -u)" != 0 ] || chown -R "$uid:$gid" "$tree/home/alice"
    printf '%s\n' "=alice:$alias_user:$uid:$gid:$tree/home/alice:::" \
        "+:$alias_user:$uid:$gid:$tree/alias:-::" . > "$tree/users/assign"
    "$tree/bin/qmail-newu"
}

service() { # NAME SETTING=VALUE...: a copy of the service that the build has made
    dir=$place/service/$1
    mkdir -p "$place/service"
    cp -R "$output/service/$1" "$dir"
    shift
    for setting; do printf '%s\n' "${setting#*=}" > "$dir/env/${setting%%=*}"; done
}

start() {
    rm -rf "$place/service"
    port=$(listen "${PORT-0}") || die "cannot listen on 127.0.0.1 port ${PORT-0}"
    service send
    service smtp LISTEN=127.0.0.1 PORT="$port" RULES="$place/no-rules.cdb"
    # in a session of its own: an interrupt from the keyboard is for this script
    setsid svscan "$place/service" < /dev/null > "$place/svscan.log" 2>&1 9>&- &
    svscan=$!
    wait_for 20 logged send 'status: local' || die "qmail-send does not start; see $place/service"
    wait_for 20 logged smtp 'tcpserver: \(status\|fatal\)' || die "tcpserver does not start; see $place/service"
    if logged smtp 'tcpserver: fatal'; then
        log_of smtp | sed -n '/fatal/{p;q;}' >&2
        die "tcpserver cannot listen on 127.0.0.1 port $port, which was free just now; try again, or give another, as PORT=2525"
    fi
}
logged() { grep -qs -e "$2" "$place/service/$1/log/main/current"; }
log_of() { [ ! -e "$place/service/$1/log/main/current" ] || sed 's/^@[0-9a-f]* //' "$place/service/$1/log/main/current"; }

gone() { ! svok "$1"; }
stop() {
    [ -n "$svscan" ] || return 0
    kill "$svscan" 2> /dev/null || :
    wait "$svscan" 2> /dev/null || :
    svscan=
    for name in smtp send; do
        svc -dx "$place/service/$name" 2> /dev/null || :
        wait_for 30 gone "$place/service/$name" || die "$name does not stop; see $place/service/$name"
        # multilog has got the last line and the end of its input now
        svc -x "$place/service/$name/log" 2> /dev/null || :
        wait_for 30 gone "$place/service/$name/log" || die "the log of $name does not stop"
    done
}
finish() {
    status=$?
    trap - EXIT
    trap '' INT TERM HUP PIPE # what has been started gets stopped in any case
    stop
    [ -z "$temporary" ] || rm -rf "$temporary"
    exit $status
}

# -- mail

send_by_smtp() {
    if command -v swaks > /dev/null; then
        run "swaks --server 127.0.0.1:$port --from bob@$domain --to alice@$domain ..."
        swaks --server 127.0.0.1 --port "$port" --helo client.$domain \
            --from bob@$domain --to alice@$domain --header 'Subject: one, by SMTP' \
            --body 'Hello Alice, this came over a socket.' --suppress-data \
            > "$place/dialogue" 2>&1 || { cat "$place/dialogue"; return 1; }
        grep -v '^===' "$place/dialogue"
        return
    fi
    run "an SMTP dialogue with 127.0.0.1:$port"
    perl -MIO::Socket::INET -e '
        my ($port, $domain) = @ARGV;
        my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port, Timeout => 30)
            or die "no connection: $!\n";
        sub answer {
            my $line;
            do { $line = <$s> // die "the server hung up\n"; print "<-  $line" } while $line =~ /^\d+-/;
            $line =~ /^[23]/ or exit 1;
        }
        answer();
        for ("HELO client.$domain", "MAIL FROM:<bob\@$domain>", "RCPT TO:<alice\@$domain>", "DATA",
             "From: bob\@$domain\r\nTo: alice\@$domain\r\nSubject: one, by SMTP\r\n\r\n"
             . "Hello Alice, this came over a socket.\r\n.", "QUIT") {
            print " -> $_\n" =~ s/\r//gr;
            print $s "$_\r\n";
            answer();
        }' "$port" $domain
}

send_by_inject() {
    run "printf 'To: alice@$domain\\nSubject: two, by pipe\\n\\nHello again.\\n' | qmail-inject -f carol@$domain"
    printf 'To: alice@%s\nSubject: two, by pipe\n\nHello again.\n' $domain |
        "$tree/bin/qmail-inject" -f carol@$domain
}

delivered() { # COUNT
    set -- "$1" "$tree"/home/alice/Maildir/new/*
    [ -e "$2" ] && [ $(($# - 1)) -ge "$1" ] && [ "$(log_of send | grep -c '^end msg')" -ge "$1" ]
}

# --

svscan= temporary=
sh tests/need.sh demo
check_user
check_port
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
trap 'exit 141' PIPE
choose_place

step "A private tree in $tree: make setup check, ./config-fast $domain"
install_tree
configure

step 'qmail-start, and tcpserver with qmail-smtpd, under svscan'
start
echo "listening on 127.0.0.1 port $port; mail for alice@$domain goes to $tree/home/alice/Maildir"

step 'A message by SMTP'
send_by_smtp || die 'the server did not take the message'
wait_for 30 delivered 1 || { log_of send; die 'the first message was not delivered'; }

step 'A message by a pipe into qmail-inject'
send_by_inject
wait_for 30 delivered 2 || { log_of send; die 'the second message was not delivered'; }

step 'What qmail-send logged, without its status lines'
log_of send | grep -v '^status:'

step 'What was delivered'
for message in "$tree"/home/alice/Maildir/new/*; do
    run "cat home/alice/Maildir/new/${message##*/}"
    cat "$message"
    echo
done

if [ -n "${KEEP-}" ] && [ "${KEEP-}" != 0 ]; then
    step 'The system stays up'
    echo "talk to it   swaks --server 127.0.0.1:$port --to alice@$domain   (or telnet 127.0.0.1 $port)"
    echo "             echo hello | $tree/bin/qmail-inject alice@$domain"
    echo "watch it     tail -f $place/service/send/log/main/current"
    echo "stop it      Ctrl-C here, or kill $$"
    trap 'exit 0' INT TERM
    wait "$svscan" || :
    die 'svscan has ended by itself'
fi

step 'Stopping'
stop
log_of send | tail -n 1
echo 'All stopped. make demo KEEP=1 leaves it up to play with.'
