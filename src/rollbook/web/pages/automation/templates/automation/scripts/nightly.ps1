{% autoescape off %}# Sends students.csv to Rollbook, waits for the end, and fails loudly. Beside it stands a token in token.txt, else the
# password in password.txt.
$ErrorActionPreference = 'Stop'
[Console]::OutputEncoding = [System.Text.Encoding]::UTF8
Set-Location -LiteralPath $PSScriptRoot
$address = {{ address }}
$login = {{ login }}
$signIn = @('--form-string', "login=$login", '-F', 'password=<password.txt')
if (Test-Path token.txt) { $signIn = @('-H', '@token.txt') }

function Call([string] $command, [string[]] $more) {
    $lines = & curl.exe --silent --show-error --retry 5 --retry-connrefused --connect-timeout 30 --speed-limit 1 --speed-time 300 @signIn @more "$address/$command"
    if ($LASTEXITCODE -ne 0) { Write-Error "curl ended with $LASTEXITCODE"; exit 1 }
    return ($lines -join "`n")
}

$answer = Call 'start' @('-F', 'file=@students.csv')
Write-Output $answer
if ($answer -cnotmatch '^OK ') { exit 1 }
$number = [regex]::Match($answer, '^OK update (\d+)').Groups[1].Value

$morning = (Get-Date).AddHours(6)
do {
    Start-Sleep -Seconds 20
    $answer = Call 'status' @('-F', "update=$number")
} while ($answer -cmatch '^RUNNING ' -and (Get-Date) -lt $morning)
Write-Output $answer
if ($answer -cnotmatch '^COMPLETED ') { exit 1 }
{% endautoescape %}