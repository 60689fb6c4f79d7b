{% autoescape off %}#!/bin/sh
# Sends students.csv to Rollbook, waits for the end, and fails loudly. Its password stands in password.txt beside it.
set -eu
cd "$(dirname "$0")"
address={{ address }}
login={{ login }}

call() {
    command=$1; shift
    curl --silent --show-error --retry 5 --retry-connrefused \
        --form-string "login=$login" -F 'password=<password.txt' "$@" "$address/$command"
}

answer=$(call start -F file=@students.csv)
printf '%s\n' "$answer"
case $answer in OK*) ;; *) exit 1 ;; esac
number=$(printf '%s\n' "$answer" | sed -n '1s/^OK update \([0-9]*\).*/\1/p')

while :; do
    answer=$(call status -F "update=$number")
    case $answer in RUNNING*) sleep "${ROLLBOOK_PAUSE:-20}" ;; *) break ;; esac
done
printf '%s\n' "$answer"
case $answer in COMPLETED*) ;; *) exit 1 ;; esac
{% endautoescape %}