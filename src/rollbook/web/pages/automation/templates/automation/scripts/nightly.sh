{% autoescape off %}#!/bin/sh
# Sends students.csv to Rollbook, waits for the end, and fails loudly. Beside it stands a token in token.txt, else the
# password in password.txt.
set -eu
cd "$(dirname "$0")"
address={{ address }}
login={{ login }}

call() {
    command=$1; shift
    if [ -e token.txt ]; then set -- -H @token.txt "$@"
    else set -- --form-string "login=$login" -F 'password=<password.txt' "$@"; fi
    curl --silent --show-error --retry 5 --retry-connrefused --connect-timeout 30 --speed-limit 1 --speed-time 300 \
        "$@" "$address/$command"
}

answer=$(call start -F file=@students.csv)
printf '%s\n' "$answer"
case $answer in OK*) ;; *) exit 1 ;; esac
number=$(printf '%s\n' "$answer" | sed -n '1s/^OK update \([0-9]*\).*/\1/p')

morning=$(($(date +%s) + ${ROLLBOOK_PATIENCE:-21600}))
while :; do
    answer=$(call status -F "update=$number")
    case $answer in RUNNING*) ;; *) break ;; esac
    [ "$(date +%s)" -lt "$morning" ] || break
    sleep "${ROLLBOOK_PAUSE:-20}"
done
printf '%s\n' "$answer"
case $answer in COMPLETED*) ;; *) exit 1 ;; esac
{% endautoescape %}