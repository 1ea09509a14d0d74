#!/bin/sh
# Follows payments into a file, one message a line: headers, family, data; each message once.
# Usage: follow-payments.sh BROKER FILE [-e]     -e: stop where the topic ends
set -eu
touch "$2"
kcat -b "$1" -X auto.offset.reset=earliest -q -u ${3:-} -f '%h\t%k\t%s\n' \
  -G follow-payments-sh pkh.payments.payment.v1 |
  (trap '' INT # Ctrl-C ends kcat; awk ends when it has written all that kcat read
   awk -F '\t' '
     { match($1, /ce_id=[^,]*/); id = substr($1, RSTART, RLENGTH) }
     id in seen { next }
     { seen[id] }
     new { print; fflush() }' new=0 "$2" new=1 - >> "$2")
