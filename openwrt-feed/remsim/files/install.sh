#!/bin/sh
# Lays the backend out as it lies on a router: install.sh CHECKOUT ROUTER_ROOT
# The SDK's Makefile and script/package both use it, so that both make the same package.
set -eu
from=$1
to=$2

put() { # put MODE FILE DIRECTORY [NAME]
	mkdir -p "$to$3"
	cp "$2" "$to$3/${4:-$(basename "$2")}"
	chmod "$1" "$to$3/${4:-$(basename "$2")}"
}

lay() { # lay FOLDER DIRECTORY: the files below FOLDER whose names come in, all at once
	mkdir -p "$to$2"
	tar -C "$1" --mode=644 -cf - -T - | tar -C "$to$2" --no-same-owner -xpmf -
}

# The simulation and the recordings it replays, which have licences of their own, stay out.
cd "$from/backend"
find remsim -type f ! -path 'remsim/simulator/*' ! -path '*/__pycache__/*' | lay . /usr/share/remsim/python
cd "$from"
find rrd -name '*.json' | lay . /usr/share/remsim
find htdocs -type f | lay . /usr/share/remsim
put 644 LICENSE /usr/share/remsim
put 644 openwrt-feed/remsim/files/nginx.locations /usr/share/remsim

files=$from/openwrt-feed/remsim/files
put 755 "$files/remsim" /usr/bin
put 755 "$files/remote-sim-event.sh" /usr/share/remsim
put 755 "$files/test-connection.sh" /usr/share/remsim
put 755 "$files/setup-routing.sh" /usr/share/remsim
put 600 "$files/remsim_console.config" /etc/config remsim_console
put 600 "$files/remsim_routing.config" /etc/config remsim_routing
put 755 "$files/remsim-console.init" /etc/init.d remsim-console
put 755 "$files/remsim-console.defaults" /etc/uci-defaults 90-remsim-console
put 755 "$files/remsim-clients.init" /etc/init.d remsim-clients
put 755 "$files/remsim-scripts.defaults" /etc/uci-defaults 91-remsim-scripts
put 644 "$files/capabilities.json" /etc/capabilities remsim-console.json
put 644 "$files/keep" /lib/upgrade/keep.d remsim
put 644 "$files/upgrade.sh" /lib/upgrade remsim.sh
