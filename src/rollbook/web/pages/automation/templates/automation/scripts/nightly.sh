{% autoescape off %}#!/bin/sh
# Uploads students.csv to Rollbook, waits for the result, and exits with an error if it fails.
# Put a token in token.txt, or your password in password.txt, in the folder of this script.
set -eu
cd "$(dirname "$0")"
address={{ address }}
login={{ login }}
# With yes, it also exits with an error (2) if rows were rejected.
fail_on_rejected=${ROLLBOOK_FAIL_ON_REJECTED:-{{ fail_on_rejected }}}

call() {
    command=$1; shift
    if [ -e token.txt ]; then set -- -H @token.txt "$@"
    else set -- --form-string "login=$login" -F 'password=<password.txt' "$@"; fi
    curl --silent --show-error --retry 5 --retry-connrefused --connect-timeout 30 \
        --speed-limit 1 --speed-time 300 "$@" "$address/$command"
}

answer=$(call start -F file=@students.csv)
printf '%s\n' "$answer"
case $answer in OK*) ;; *) exit 1 ;; esac
number=$(printf '%s\n' "$answer" | sed -n '1s/^OK update \([0-9]*\).*/\1/p')

deadline=$(($(date +%s) + ${ROLLBOOK_PATIENCE:-21600}))
while :; do
    answer=$(call status -F "update=$number")
    case $answer in RUNNING*) ;; *) break ;; esac
    [ "$(date +%s)" -lt "$deadline" ] || break
    sleep "${ROLLBOOK_PAUSE:-20}"
done
printf '%s\n' "$answer"
case $answer in
    "COMPLETED WITH ERRORS"*) if [ "$fail_on_rejected" = yes ]; then exit 2; fi ;;
    COMPLETED*) ;;
    *) exit 1 ;;
esac
{% endautoescape %}