#!/bin/busybox sh
# The gateway's first process: modules, disks, network, agent, and a shell on the console for whoever is at the bench.
/bin/busybox --install -s /bin
export PATH=/bin PS1='gateway# ' HOME=/
mkdir -p /dev /proc /sys /tmp /data /system /var/run
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
dmesg -n 1
stty -echo
for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_mmio \
    failover net_failover virtio_net virtio_blk; do
    insmod /lib/modules/$module.ko || echo "no module $module"
done
# What the gateway has to remember lies on its own disk; the vendor's programs on another, which is never written to.
if mount -t ext4 /dev/vda2 /data; then
    case $(cat /proc/cmdline) in
    *slot=8000*) ln -s /dev/vda3 /dev/slot-next; echo A > /tmp/next ;;
    *) ln -s /dev/vda4 /dev/slot-next; echo B > /tmp/next ;;
    esac
fi
mount -t ext4 -o ro /dev/vdb1 /system && ln -s /system/lib/ld-linux-aarch64.so.1 /lib/
ip link set lo up
ip link set eth0 up && udhcpc -i eth0 -q -n -t 5 -T 1 -s /bin/leased > /tmp/udhcpc.log 2>&1
agent > /tmp/agent.log 2>&1 &
read -r uptime _ < /proc/uptime
echo "GATEWAY-READY build=$(cat /etc/build) uptime_s=$uptime"
while :; do
    setsid cttyhack sh
done
