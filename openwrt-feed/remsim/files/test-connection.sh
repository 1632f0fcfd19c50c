#!/bin/sh
# The test of the connection that the older LuCI app of remote SIMs has a button for.
exec /usr/bin/remsim remote-sim test "$@"
