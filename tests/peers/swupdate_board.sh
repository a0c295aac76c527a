#!/bin/sh
# A board that runs Debian's swupdate in hawkBit mode, and starts anew after each update, as a product would.
#   sh swupdate_board.sh CERTIFICATE      with FLEETRIG_URL, FLEETRIG_ID … in the environment
# swupdate tells the result of an update only at its next start (-c 2): what a boot loader keeps is a file here.
# After an update it is ended, as by a reboot: half a second later, so that it can say that it has installed.
cd "$FLEETRIG_FOLDER" || exit 1
export TMPDIR="$FLEETRIG_FOLDER"
printf 'globals : { };\nidentify : ( { name = "hw_revision"; value = "1.0"; } );\n' > swupdate.cfg

token="-k $FLEETRIG_TOKEN"
[ -n "$FLEETRIG_TOKEN" ] || token="-g $FLEETRIG_GATEWAY_TOKEN"
while :; do
    report=""
    [ -e updated ] && report="-c 2"
    rm -f updated
    swupdate -l 4 -f swupdate.cfg -k "$1" -H board:1.0 \
        -p "touch $FLEETRIG_FOLDER/updated; (sleep 0.5; kill \$(cat $FLEETRIG_FOLDER/pid)) >/dev/null 2>&1 &" \
        -u "-t $FLEETRIG_TENANT -u $FLEETRIG_URL -i $FLEETRIG_ID $token -p 1 $report" &
    echo $! >pid
    wait $!
    ended=$?
    # Under load it dies of SIGPIPE now and then (141); a service manager starts it again.
    [ -e updated ] || { echo "swupdate ended by itself ($ended) and is started again"; sleep 1; }
done
