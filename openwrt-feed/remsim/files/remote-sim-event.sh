#!/bin/sh
# The event script of an osmo-remsim client: writes what the client tells into the spool of the console, and nudges it.
# What comes from outside is written as text and nothing of it is ever run. No program is started here but in trouble:
# the client calls this for each event, often eight at once, and waits for none. Whatever happens, the exit status is 0.
#
# A record is a file of lines, the last of them "end": VERSION; NAME=VALUE for the variables that are set; and
#   cause=TEXT  boot=ID  uptime=SECONDS  client=PID  order=START PID
# where order is that of the process which the client itself forked: only that tells in which order things happened.

trap 'exit 0' EXIT
# Sub-shells would cost more than all the rest; 2>/dev/null for all, because stderr is the client's log.
exec 2>/dev/null
set -f
umask 077
LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin
nl='
'
most=1000
batch=100

spool=${REMSIM_STATE:-/etc/remsim}/spool

# Walks up from here to the process whose parent is the client. Files of /proc are read letter by letter, so one is that
# need not be: most often the first parent is the shell that the client calls this by, and its parent the client.
order='' client='' pid=$$ parent=$PPID start='' depth=0
while [ "$parent" -gt 1 ]; do
	name=''
	read -r name <"/proc/$parent/comm"
	case $name in
		osmo-remsim-cl*) client=$parent; [ -z "$start" ] || break ;;
		*) [ "$depth" -lt 2 ] || break; pid=$parent ;;
	esac
	# Its name may have blanks, brackets and line feeds of its own: what counts is behind them.
	line='' more=''
	while read -r more || [ -n "$more" ]; do line="$line$more "; done <"/proc/$pid/stat"
	[ -n "$line" ] || break
	# shellcheck disable=SC2086 # into words; names are not expanded (set -f)
	set -- "$1" ${line##*) }
	start=${21}
	[ -z "$client" ] || break
	parent=$3 depth=$((depth + 1))
done
[ -z "$client" ] || [ -z "$start" ] || order="$start $pid"

uptime=0 boot=''
read -r uptime _ </proc/uptime
read -r boot </proc/sys/kernel/random/boot_id
cause=${1:-$REMSIM_CAUSE}

record=''
add() { # add NAME VALUE: a line; what would break it into several becomes blanks
	value=$2
	case $value in
		*"$nl"*)
			IFS=$nl
			# shellcheck disable=SC2086
			set -- "$1" $value
			name=$1
			shift
			IFS=' '
			set -- "$name" "$*"
			value=$2
			unset IFS ;;
	esac
	record="$record$1=$value$nl"
}

add cause "$cause"
add boot "$boot"
add uptime "$uptime"
add client "$client"
add order "$order"
[ -z "${REMSIM_CLIENT_NAME+x}" ] || add REMSIM_CLIENT_NAME "$REMSIM_CLIENT_NAME"
[ -z "${REMSIM_CLIENT_VERSION+x}" ] || add REMSIM_CLIENT_VERSION "$REMSIM_CLIENT_VERSION"
[ -z "${REMSIM_CLIENT_SLOT+x}" ] || add REMSIM_CLIENT_SLOT "$REMSIM_CLIENT_SLOT"
[ -z "${REMSIM_SERVER_ADDR+x}" ] || add REMSIM_SERVER_ADDR "$REMSIM_SERVER_ADDR"
[ -z "${REMSIM_SERVER_STATE+x}" ] || add REMSIM_SERVER_STATE "$REMSIM_SERVER_STATE"
[ -z "${REMSIM_BANKD_ADDR+x}" ] || add REMSIM_BANKD_ADDR "$REMSIM_BANKD_ADDR"
[ -z "${REMSIM_BANKD_STATE+x}" ] || add REMSIM_BANKD_STATE "$REMSIM_BANKD_STATE"
[ -z "${REMSIM_BANKD_SLOT+x}" ] || add REMSIM_BANKD_SLOT "$REMSIM_BANKD_SLOT"
[ -z "${REMSIM_SIM_VCC+x}" ] || add REMSIM_SIM_VCC "$REMSIM_SIM_VCC"
[ -z "${REMSIM_SIM_RST+x}" ] || add REMSIM_SIM_RST "$REMSIM_SIM_RST"
[ -z "${REMSIM_SIM_CLK+x}" ] || add REMSIM_SIM_CLK "$REMSIM_SIM_CLK"
[ -z "${REMSIM_USB_PATH+x}" ] || add REMSIM_USB_PATH "$REMSIM_USB_PATH"
[ -z "${REMSIM_USB_INTERFACE+x}" ] || add REMSIM_USB_INTERFACE "$REMSIM_USB_INTERFACE"
[ -z "${OPENWRT_MODEM_DEVICE+x}" ] || add OPENWRT_MODEM_DEVICE "$OPENWRT_MODEM_DEVICE"

# The spool may be a link to a folder in RAM that is gone since the router started.
[ -d "$spool" ] || mkdir -p "$spool" || mkdir -p "$(readlink "$spool")"
cd "$spool" || exit 0

# Nobody takes them: the oldest go, and are counted. Their names sort by age. Whoever comes while another does this
# leaves it to him, unless he was ended over it.
set +f
set -- [0-9]*
set -C
if [ $# -ge "$most" ] && { printf '' >.dropping || [ $# -ge $((2 * most)) ]; }; then
	set -- [0-9]* # somebody may have done it since
	left=$# old=''
	[ $# -lt "$most" ] || left=$(($# - batch))
	while [ $# -gt "$left" ]; do
		old="$old $1"
		shift
	done
	[ -z "$old" ] || printf '%s\n' "$batch" >>.dropped
	# shellcheck disable=SC2086 # our own names, which have no blanks
	rm -f $old .dropping
fi
set -f

# Written at once under a name of its own; what lacks the last line is not whole.
stamp=00000000000${uptime%.*}${uptime#*.}
stamp=${stamp#"${stamp%????????????}"}
printf '1\n%send\n' "$record" >"$stamp-$$"
set +C

# Open for both, so that it never waits for a reader. Where many wait already their scripts have nudged, and whoever has
# the pipe open and does not listen shall not have it filled.
[ $# -ge "$batch" ] || [ ! -p .nudge ] || printf . 1<>.nudge
