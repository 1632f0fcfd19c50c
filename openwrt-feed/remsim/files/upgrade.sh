# shellcheck shell=sh
# sysupgrade sources this file: the history goes to flash before the list of what to keep is made.
remsim_console_backup() {
	/etc/init.d/remsim-console backup
}
sysupgrade_init_conffiles="remsim_console_backup $sysupgrade_init_conffiles"
