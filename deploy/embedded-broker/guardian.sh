#!/bin/sh
# Runs a broker and ends it when the process that asked for it is gone, however that ended: it holds the other end of
# our standard input, and the kernel closes that even after a kill -9. The same happens when it lets go on purpose.
#
#   guardian.sh GRACE_SECONDS LOG AT_END COMMAND...
#
# Prints the broker's process id, then nothing. GRACE_SECONDS is how long the broker may take to stop by itself once it
# was told to; AT_END is a shell command for when it has ended.
grace=$1
log=$2
at_end=$3
shift 3

exec 3<&0
"$@" </dev/null >>"$log" 2>&1 3<&- &
broker=$!

# Waits until the broker is gone, but no longer than so many tenths of a second.
until_gone() {
  polls=$1
  while [ "$polls" -gt 0 ] && kill -0 "$broker" 2>/dev/null; do
    sleep 0.1
    polls=$((polls - 1))
  done
}

# A process of its own, so that the broker is ended even if this script is killed. It keeps standard output open until
# it is done, and so tells when that is.
(
  read -r _ <&3
  if [ "$grace" -gt 0 ]; then
    kill -TERM "$broker" 2>/dev/null
    until_gone $((grace * 10))
  fi
  kill -KILL "$broker" 2>/dev/null
  until_gone 50
  eval "$at_end" >/dev/null 2>&1
) &
watcher=$!

echo "$broker"
wait "$broker"
status=$?
kill -KILL "$watcher" 2>/dev/null
eval "$at_end" >/dev/null 2>&1
exit "$status"
