#!/bin/sh
# Sends what the client of /etc/config/remsim says to its server through another modem than the one it gives a card to:
# a route to server.host by routing.iot_interface, if routing.force_iot_routing is 1. Nothing runs it by itself: run it
# when that interface is up. The card's bank is reached likewise only where it is on the server's machine.

fail() {
	echo "$0: $*" >&2
	exit 1
}

value() { uci -q get "remsim.$1"; }

[ "$(value routing.force_iot_routing)" = 1 ] || fail "routing.force_iot_routing is not 1, so no route is set"
device=$(value routing.iot_interface) || fail "routing.iot_interface names no network device"
[ -e "/sys/class/net/$device" ] || fail "there is no network device $device (routing.iot_interface)"
server=$(value server.host) || fail "server.host is not set"
case $server in
	*[!0-9.]* | "") fail "server.host is $server, and a route needs an IPv4 address" ;;
esac

gateway=$(ip -4 route show default dev "$device" | sed -n 's/^default via \([0-9.]*\).*/\1/p' | head -n 1)
if [ -n "$gateway" ]; then
	ip -4 route replace "$server/32" via "$gateway" dev "$device" || fail "the route was refused"
else
	ip -4 route replace "$server/32" dev "$device" || fail "the route was refused"
fi
echo "$server goes through $device"
