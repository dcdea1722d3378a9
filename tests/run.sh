#!/bin/sh
# make test: the unit tests named as arguments, tests/system/*.t and tests/proof/*.t,
# under prove; make proof, with PROOF=full: tests/proof/*.t alone, and all of them.
# The latter two run the installed programs of a tree made for them, TREE:
#
# root with namespaces  conf-qmail's own place, covered by a scratch directory, and
#                       a private /etc and network: nothing outside is changed
# root without          a scratch directory below /var/tmp, real user ids
# anybody else          a scratch directory, one user id; what needs root skips
#
# BUILD, CONF_QMAIL, CONF_USERS, CONF_GROUPS, CONF_CC, CONF_LD, CONF_LIGHT and MAKE come
# from the Makefile. ONLY, patterns of names without .t, picks system tests and proofs.
set -eu
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C PATH
cd "$(dirname "$0")/.."
unset DESTDIR QMAILQUEUE QMAILREMOTE MAKEFLAGS MAKELEVEL MFLAGS || :

inside() { # in the namespaces: cover HOME, /etc; bring up lo
    mkdir "$scratch/tree" "$scratch/etc"
    chmod 755 "$scratch/tree"
    cp -a /etc/. "$scratch/etc"
    mount --bind "$scratch/tree" "$CONF_QMAIL"
    mount --bind "$scratch/etc" /etc
    ip link set lo up
    export PRIVATE=1
}

same_build() { # the tree from what make has built already
    sh src/admin/users.sh "$CONF_QMAIL" "$CONF_USERS" "$CONF_GROUPS"
    "$BUILD/instpackage"
    "$BUILD/instchown"
    tree=$CONF_QMAIL
}
own_build() { # the tree from a build with its place, and perhaps one user, compiled in
    tree=$scratch/tree
    if [ "$(id -u)" = 0 ]; then
        sh src/admin/users.sh "$CONF_QMAIL" "$CONF_USERS" "$CONF_GROUPS"
    else
        me=$(id -un) my_group=$(id -gn)
        CONF_USERS="$me $me $me $me $me $me $me $me" CONF_GROUPS="$my_group $my_group"
    fi
    BUILD=$BUILD/test
    $MAKE -s -j2 BUILD="$BUILD" CONF_QMAIL="$tree" CONF_USERS="$CONF_USERS" \
        CONF_GROUPS="$CONF_GROUPS" CONF_CC="$CONF_CC" CONF_LD="$CONF_LD" CONF_LIGHT="$CONF_LIGHT" it man
    "$BUILD/instpackage"
    "$BUILD/instchown"
}

case ${1-} in
--inside)
    shift
    inside
    same_build
    ;;
*)
    sh tests/need.sh test
    scratch=$(mktemp -d /var/tmp/reqmail-test.XXXXXX)
    chmod 755 "$scratch"
    made_home=
    trap 'rm -rf "$scratch"; [ -z "$made_home" ] || rmdir "$made_home" 2> /dev/null || :' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    export scratch
    spaces='unshare --mount --net --pid --fork --mount-proc --kill-child --propagation private'
    if [ "$(id -u)" = 0 ] && $spaces sh -c 'mount --bind "$scratch" /etc' 2> /dev/null; then
        [ -d "$CONF_QMAIL" ] || { mkdir -p "$CONF_QMAIL" && made_home=$CONF_QMAIL; }
        status=0
        $spaces sh tests/run.sh --inside "$@" || status=$?
        exit $status
    fi
    own_build
    ;;
esac

# Under sanitizers, every report of every process is a file here.
last=
case $CONF_LD in
*sanitize*)
    mkdir -p "$tree/sanitizer"
    chmod 1777 "$tree/sanitizer"
    last=tests/sanitizer.t
    export SANITIZED=1
    ;;
esac

TREE=$tree
PROOF=${PROOF-}
SCRATCH=$scratch
PYTHONDONTWRITEBYTECODE=1
PYTHONPATH=$(pwd)/tests/system
export TREE SCRATCH BUILD PROOF CONF_USERS CONF_GROUPS PYTHONPATH PYTHONDONTWRITEBYTECODE
directories='tests/system tests/proof'
[ "${PROOF-}" != full ] || directories=tests/proof
set -f # the patterns are for these directories, not for where we are
for pattern in ${ONLY:-*}; do
    set +f
    for directory in $directories; do
        for test in "$directory"/$pattern.t; do
            [ ! -e "$test" ] || set -- "$@" "$test"
        done
    done
done
verbose=
[ "${PROOF-}" != full ] || verbose=-v # with its figures
prove $verbose "$@" $last
