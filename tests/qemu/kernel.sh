#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kernel.sh FOLDER: puts Debian's kernel and the modules that the guest needs into FOLDER, as vmlinuz
# and modules/, unless they are there. It is downloaded and unpacked, never installed. Needs no root.
set -eu

folder=$1
# USB host, network card, and the kernel's list of Unix sockets.
modules="drivers/usb/common/usb-common drivers/usb/core/usbcore drivers/usb/host/uhci-hcd
    drivers/net/ethernet/intel/e1000/e1000 net/unix/unix_diag"
[ "$modules" != "$(cat "$folder/complete" 2>/dev/null)" ] || exit 0
rm -rf "$folder"
mkdir -p "$folder/modules"
cd "$folder"

# The newest kernel, by the package that always depends on it. The cloud kernel has no USB.
package=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: *//p' | head -n 1)
if [ -z "$package" ] || ! apt-get download -q "$package"; then
    echo "kernel.sh: no kernel package to be had; run apt-get update" >&2
    exit 1
fi
for module in $modules; do
    set -- "$@" "./lib/modules/*/$module.ko"
done
shift
dpkg-deb --fsys-tarfile ./*.deb | tar -x --wildcards './boot/vmlinuz-*' "$@"
mv boot/vmlinuz-* vmlinuz
for module in $modules; do
    mv lib/modules/*/kernel/"$module.ko" modules/
done
rm -rf boot lib ./*.deb
echo "$modules" >complete
