{% autoescape off %}# Uploads students.csv to Rollbook, waits for the result, and exits with an error if it fails.
# Put a token in token.txt, or your password in password.txt, in the folder of this script.
$ErrorActionPreference = 'Stop'
[Console]::OutputEncoding = [System.Text.Encoding]::UTF8
Set-Location -LiteralPath $PSScriptRoot
$address = {{ address }}
$login = {{ login }}
# With 'yes', it also exits with an error (2) if rows were rejected.
$failOnRejected = '{{ fail_on_rejected }}'
$signIn = @('--form-string', "login=$login", '-F', 'password=<password.txt')
if (Test-Path token.txt) { $signIn = @('-H', '@token.txt') }

$options = @('--silent', '--show-error', '--retry', '5', '--retry-connrefused')
$options += @('--connect-timeout', '30', '--speed-limit', '1', '--speed-time', '300')

function Call([string] $command, [string[]] $fields) {
    $lines = & curl.exe @options @signIn @fields "$address/$command"
    if ($LASTEXITCODE -ne 0) { Write-Error "curl failed with exit code $LASTEXITCODE"; exit 1 }
    return ($lines -join "`n")
}

$answer = Call 'start' @('-F', 'file=@students.csv')
Write-Output $answer
if ($answer -cnotmatch '^OK ') { exit 1 }
$number = [regex]::Match($answer, '^OK update (\d+)').Groups[1].Value

$deadline = (Get-Date).AddHours(6)
do {
    Start-Sleep -Seconds 20
    $answer = Call 'status' @('-F', "update=$number")
} while ($answer -cmatch '^RUNNING ' -and (Get-Date) -lt $deadline)
Write-Output $answer
if ($answer -cnotmatch '^COMPLETED ') { exit 1 }
if ($failOnRejected -eq 'yes' -and $answer -cmatch '^COMPLETED WITH ERRORS ') { exit 2 }
{% endautoescape %}