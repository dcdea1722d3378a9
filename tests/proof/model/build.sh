#!/bin/sh
# Builds the model of qmail-send: the sources in SRC, below which src/ is, with the
# model in MODEL, into OUT/model. Objects of the sources are made only where missing, so
# that OUT may be a copy with one of them taken away.
# usage: build.sh SRC MODEL OUT [FLAG...]
set -eu
src=$1 model=$2 out=$3
shift 3
cc=${MODEL_CC:-cc}
flags="-std=c11 -D_POSIX_C_SOURCE=200809L -O1 -g -fno-pie -I$src/src -I$out $*"
parts='queue/qmail-send queue/info_file net/unix_socket'
for f in "$src"/src/queue/send_*.c "$src"/src/queue/order_*.c "$src"/src/mail/*.c "$src"/src/base/*.c; do
    f=${f#"$src"/src/}
    case $f in base/os_crypt.c) ;; *) parts="$parts ${f%.c}" ;; esac
done
mkdir -p "$out"
[ -e "$out/conf.h" ] || sh "$src/src/admin/conf.sh" 1 /model 2 120 - 002 \
    'alias qmaild qmaill root qmailp qmailq qmailr qmails' 'qmail nofiles' > "$out/conf.h"

# Objects: two at a time.
for part in $parts; do
    object=$out/$(echo "$part" | tr / -).o
    [ -e "$object" ] || echo "$src/src/$part.c $object"
done > "$out/list"
xargs -r -P 2 -n 2 sh -c "$cc $flags \${MODEL_COVERAGE-} -c \"\$0\" -o \"\$1\"" < "$out/list"
if [ ! -e "$out/kernel.o" ]; then
    for f in kernel world judge main; do
        echo "$model/$f.c $out/$f.o"
    done | xargs -P 2 -n 2 sh -c "$cc $flags -O2 -c \"\$0\" -o \"\$1\""
fi

# What is qmail-send's of them is one object: its memory in two sections of their own,
# its calls led to kernel.c.
nm "$out/kernel.o" | sed -n 's/^.* T sim_\(.*\)$/\1 sim_\1/p' | grep -v os_spawn > "$out/calls"
objects=$(for part in $parts; do echo "$out/$(echo "$part" | tr / -).o"; done)
objcopy --redefine-sym os_spawn=os_real_spawn "$out/base-os.o"
rm -f "$out/real.a"
ar rc "$out/real.a" $objects
ld -r --gc-sections -u main -e main -o "$out/real.o" "$out/queue-qmail-send.o" "$out/real.a" 2> "$out/ld.err" ||
    ld -r -o "$out/real.o" "$out/queue-qmail-send.o" "$out/real.a"
objcopy --redefine-syms="$out/calls" --redefine-sym os_spawn=sim_os_spawn --redefine-sym main=send_main \
    "$out/real.o"
objcopy --rename-section .data=model_data --set-section-flags .bss=alloc,load,contents,data \
    --rename-section .bss=model_bss "$out/real.o"
$cc -no-pie ${MODEL_COVERAGE-} "$@" -o "$out/model" "$out/real.o" "$out/kernel.o" "$out/world.o" "$out/judge.o" "$out/main.o" \
    -Wl,-z,noexecstack ${MODEL_LINK-}
