#!/bin/busybox sh
# Called by swupdate after an update: the next start boots what it wrote, and tells the server.
cp /tmp/next /data/updated
dd if=/tmp/next of=/dev/vda bs=512 seek=1792 conv=fsync,notrunc 2>/dev/null
sync
touch /tmp/reboot
