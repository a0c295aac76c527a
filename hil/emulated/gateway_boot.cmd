# The gateway's boot script, run by U-Boot's own distro boot from the first disk.
# Two slots hold firmware; block 700 names the one to try first (B), the other is for when that one is damaged.
setenv slots 800 8000
virtio read 4f000000 700 1 && if itest.b *4f000000 == 42; then setenv slots 8000 800; fi
virtio dev 1
virtio read 40400000 @KERNEL_BLOCK@ @KERNEL_BLOCKS@
virtio read 44000000 @BASE_BLOCK@ @BASE_BLOCKS@
virtio dev 0
for slot in ${slots}; do
    virtio read 48000000 ${slot} 2000
    if imxtract 48000000 0 @FIRMWARE_AT@; then
        setexpr ramdisk_bytes ${filesize} + @BASE_BYTES@
        setenv bootargs console=ttyAMA0 quiet panic=1 mitigations=off cryptomgr.notests slot=${slot}
        booti 40400000 44000000:${ramdisk_bytes} ${fdtcontroladdr}
    fi
    echo "slot ${slot} holds no firmware that can be booted"
done
