#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kernel.sh FOLDER: puts Debian's kernel and the modules of its USB host into FOLDER, as vmlinuz and
# modules/, unless they are there. It is downloaded and unpacked, never installed. Needs no root.
set -eu

folder=$1
[ ! -e "$folder/complete" ] || exit 0
rm -rf "$folder"
mkdir -p "$folder/modules"
cd "$folder"

# The newest kernel, by the package that always depends on it. The cloud kernel has no USB.
package=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: *//p' | head -n 1)
if [ -z "$package" ] || ! apt-get download -q "$package"; then
    echo "kernel.sh: no kernel package to be had; run apt-get update" >&2
    exit 1
fi
modules="usb/common/usb-common usb/core/usbcore usb/host/uhci-hcd"
for module in $modules; do
    set -- "$@" "./lib/modules/*/drivers/$module.ko"
done
shift
dpkg-deb --fsys-tarfile ./*.deb | tar -x --wildcards './boot/vmlinuz-*' "$@"
mv boot/vmlinuz-* vmlinuz
for module in $modules; do
    mv lib/modules/*/kernel/drivers/"$module.ko" modules/
done
rm -rf boot lib ./*.deb
touch complete
