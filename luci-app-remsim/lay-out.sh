#!/bin/sh
# Puts what LuCI's pages share with the service's own into a folder named by its content: lay-out.sh HTDOCS RESOURCES
# uhttpd does not say how long a file may be kept, and modules import each other without a version in the address: under
# a new name a browser asks anew, for all of them. In the checkout two links stand for the folder.
set -eu
from=$1
to=$2/remsim

rm -f "$to/app" "$to/vendor"
sum=$(cd "$from" && find remsim vendor -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c 1-12)
mkdir -p "$to/$sum"
cp -R "$from/remsim" "$to/$sum/app"
cp -R "$from/vendor" "$to/$sum/vendor"
sed "s|base: 'remsim'|base: 'remsim/$sum'|" "$to/manifest.js" >"$to/manifest.new"
mv "$to/manifest.new" "$to/manifest.js"
grep -q "base: 'remsim/$sum'" "$to/manifest.js"
