#!/bin/busybox sh
# Keeps swupdate running once the gateway knows who it is: /data/identity, written over the console, has
# URL, TENANT, ID and TOKEN (or GATEWAY_TOKEN) as NAME='value', and /data/vendor.crt is whose updates it takes;
# without that file the certificate that the firmware brought.
export LD_LIBRARY_PATH=/system/usr/lib/aarch64-linux-gnu:/system/lib/aarch64-linux-gnu TMPDIR=/tmp
while :; do
    vendor=/data/vendor.crt
    until [ -s /data/identity ] && [ -s "$vendor" ]; do
        sleep 0.2
        vendor=/data/vendor.crt
        [ -s "$vendor" ] || vendor=/etc/vendor.crt
    done
    . /data/identity
    # An update is finished when what it brought has booted: swupdate tells the result of the last one at its start.
    report=
    if [ -e /data/updated ]; then
        report="-c 2"
        [ "$(cat /data/updated)" = "$(cat /tmp/next)" ] && report="-c 3"
    fi
    token="-k $TOKEN"
    [ -n "$TOKEN" ] || token="-g $GATEWAY_TOKEN"
    printf 'globals : { };\nidentify : ( { name = "build"; value = "%s"; } );\n' "$(cat /etc/build)" > /tmp/swupdate.cfg
    /system/usr/bin/swupdate -l 4 -f /tmp/swupdate.cfg -k "$vendor" -H gateway:1.0 -p update-done \
        -u "-t $TENANT -u $URL -i $ID $token -p 1 $report" &
    running=$!
    [ -z "$report" ] || { sleep 3; rm -f /data/updated; sync; }
    while kill -0 $running 2>/dev/null; do
        [ -e /tmp/reboot ] && sleep 2 && sync && reboot -f
        sleep 0.2
    done
    sleep 1
done
