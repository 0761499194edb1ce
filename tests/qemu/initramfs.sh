#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# initramfs.sh OUT KERNEL STORY PROGRAM [FILE...]: writes a guest's first file system: busybox, pcscd,
# libccid, the modules of kernel.sh's folder, PROGRAM, what they link to, each FILE as /NAME with mode
# 0600, guest.sh as its init, and STORY, which guest.sh plays.
set -eu

out=$1 kernel=$2 story=$3 program=$4
shift 4
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
PATH=$PATH:/usr/sbin:/sbin
bundle=/usr/lib/pcsc/drivers/ifd-ccid.bundle

mkdir -p "$root/bin" "$root/dev" "$root/etc" "$root/lib64" "$root/lib" "$root/proc" "$root/run" \
    "$root/sys" "$root/tmp" "$root/modules" "$root/$bundle/Contents/Linux"
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$(command -v pcscd)" "$program" "$root/bin/"
cp "$kernel"/modules/*.ko "$root/modules/"
cp -L "$bundle/Contents/Info.plist" "$root/$bundle/Contents/"
cp "$bundle"/Contents/Linux/*.so "$root/$bundle/Contents/Linux/"
cp "$here/guest.sh" "$root/init"
cp "$story" "$root/story"
chmod 755 "$root/init"
for file in "$@"; do
    install -m 600 "$file" "$root/"
done

# What the programs load, by the path that the guest's loader looks at first.
for loads in "$root/bin/pcscd" "$program" "$root/$bundle"/Contents/Linux/*.so; do
    ldd "$loads" | sed -n 's/^.*=> \(\/[^ ]*\) .*/\1/p'
done | sort -u | while read -r library; do
    cp -L "$library" "$root/lib/"
done
cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64/"

(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$out"
