"""Every subcommand, argument and option on a few screens; imports nothing of Rollbook's, so that --help is instant.

``run`` names the function that does it, as ``module.function`` in ``actions``, and ``opening`` what must be ready
before that module may be imported (see ``bootstrap.py``); None: nothing, not even Django.
"""

import textwrap
from argparse import (
    SUPPRESS,
    ArgumentParser,
    ArgumentTypeError,
    RawDescriptionHelpFormatter,
    _SubParsersAction,
)
from importlib.metadata import version
from pathlib import Path
from typing import Any

Nouns = _SubParsersAction  # what add_subparsers() gives: argparse has no public name for it

EXIT_CODES = """\
exit codes:
  0    done
  1    not done; the line on stderr that begins with ERROR, or the result, says why
  2    the command itself is wrong; nothing was begun
  3    done, but rows of the file were rejected (`student load`, `file check`)
  130  stopped with Ctrl-C
"""
_OVERVIEW = "Keeps a school district's student records in step with its student information system."
_FOLDER = """\
Everything lives in one folder: database, uploaded files, keys, certificate, mail. It is the one that --data or the
variable ROLLBOOK_DATA names, else `data` in the current folder."""


def build_parser() -> ArgumentParser:
    """The whole command."""
    top = _parser(ArgumentParser, prog="rollbook", description=f"{_OVERVIEW}\n\n{_FOLDER}")
    top.add_argument("--version", action="version", version=f"rollbook {version('rollbook')}")
    nouns = top.add_subparsers(metavar="COMMAND", title="commands")
    for add in (
        _serve,
        _worker,
        _district,
        _school,
        _staff,
        _student,
        _file,
        _update,
        _audit,
        _admin,
        _doctor,
    ):
        add(nouns)
    return top


def _parser(make: Any, *names: str, description: str, **options: Any) -> ArgumentParser:
    made: ArgumentParser = make(
        *names,
        description=description,
        epilog=EXIT_CODES,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
        **options,
    )
    return made


def _command_group(nouns: "Nouns[Any]", name: str, about: str) -> "Nouns[Any]":
    noun = _parser(nouns.add_parser, name, description=about, help=_in_a_list(about))
    return noun.add_subparsers(metavar="COMMAND", title="commands", required=True)


def _in_a_list(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _command(
    nouns: "Nouns[Any]",
    name: str,
    run: str,
    about: str,
    *more: str,
    opening: str | None = "database",
) -> ArgumentParser:
    paragraphs = "\n\n".join(textwrap.fill(text, 100) for text in (about, *more))
    leaf = _parser(nouns.add_parser, name, description=paragraphs, help=_in_a_list(about))
    leaf.set_defaults(run=run, opening=opening)
    if opening:
        leaf.add_argument(
            "--data", type=Path, metavar="DIR", default=SUPPRESS, help="the data folder"
        )
    return leaf


def _serve(nouns: "Nouns[Any]") -> None:
    serve = _command(
        nouns,
        "serve",
        "serve.serve",
        "Serve over HTTPS, and work on the updates that come in.",
        "At the first start it makes a self-signed certificate, certificate.pem in the data folder. Bring your own "
        "with --cert and --key, or let a proxy in front of it speak TLS with --behind-proxy.",
        "It prints one line when it is ready and serves until SIGTERM or Ctrl-C; a second one stops it at once.",
        opening="settings",
    )
    web = _command(
        nouns,
        "web",
        "serve.web",
        "The web server alone.",
        "`serve` starts one by itself. Beside it, or on other machines, any number of them may run on one PostgreSQL "
        "(DATABASE_URL), each with a data folder of its own, in which the folder keys must be a copy of the first one.",
        opening="settings",
    )
    for command in (serve, web):
        command.add_argument(
            "--host", default="localhost", help="name or address to listen on (default: localhost)"
        )
        command.add_argument(
            "--port", type=_port, default=8443, help="the port (default: 8443; 0 takes a free one)"
        )
        command.add_argument(
            "--cert", type=Path, metavar="FILE", help="your certificate with its chain, PEM"
        )
        command.add_argument(
            "--key", type=Path, metavar="FILE", help="its private key, PEM without a passphrase"
        )
        command.add_argument(
            "--behind-proxy", action="store_true", help="plain HTTP, for a proxy that speaks TLS"
        )


def _worker(nouns: "Nouns[Any]") -> None:
    worker = _command(
        nouns,
        "worker",
        "serve.worker",
        "The worker alone, which does what the files that come in ask for.",
        "`serve` starts one by itself. On one PostgreSQL (DATABASE_URL) any number of them may run, anywhere, each "
        "with a data folder of its own, in which the folder keys must be a copy of the first one. On SQLite one "
        "works, and others wait for its place.",
        "At SIGTERM or Ctrl-C it ends the step in hand, and another worker goes on with the rest; a second one stops "
        "it at once. Killed, it loses nothing: the others take its work up within a minute.",
        opening="settings",
    )
    worker.add_argument(
        "--concurrency",
        type=_count,
        metavar="N",
        default=1,
        help="updates of different districts at a time, PostgreSQL only (default: 1; more than one fills the time that "
        "the other waits for the database, but only more workers use more than one core)",
    )


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise ArgumentTypeError(f"'{text}' is not a port; ports are 0 to 65535")


def _count(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 32:
        return int(text)
    raise ArgumentTypeError(f"'{text}' is not a number from 1 to 32")


def _district(nouns: "Nouns[Any]") -> None:
    verbs = _command_group(nouns, "district", "The school systems that send files.")
    add = _command(
        verbs,
        "add",
        "district.add",
        "Add a district.",
        "Its short name, which every other command takes, is made from its name: Maple USD becomes maple-usd.",
        opening="new database",
    )
    add.add_argument("name", metavar="NAME", help='such as "Maple USD"')
    add.add_argument(
        "--time-zone", metavar="ZONE", default="UTC", help="such as America/Chicago (default: UTC)"
    )
    put = _command(verbs, "set", "district.set_settings", "Change a district's settings.")
    _takes_district(put)
    put.add_argument("--time-zone", metavar="ZONE", help="such as America/Chicago")
    put.add_argument(
        "--encoding",
        metavar="NAME",
        help="what its student files are in where they do not say so: utf-8, cp1252 ...",
    )
    put.add_argument(
        "--notify",
        metavar="EMAIL",
        nargs="*",
        help="members who get the results of every update, instead of those who got them before; none: nobody",
    )


def _school(nouns: "Nouns[Any]") -> None:
    verbs = _command_group(nouns, "school", "The schools of a district.")
    load = _command(
        verbs,
        "load",
        "school.load",
        "Add and rename schools from a CSV file.",
        "The file is UTF-8 and has the columns SCHOOL_ID and NAME. Schools that it does not name stay as they are. If "
        "anything in it is wrong, all of that is reported and nothing is loaded.",
    )
    _takes_district(load)
    load.add_argument("file", type=Path, metavar="FILE", help="such as schools.csv")


def _staff(nouns: "Nouns[Any]") -> None:
    verbs = _command_group(nouns, "staff", "The members of a district's staff, who sign in.")
    add = _command(
        verbs,
        "add",
        "staff.add",
        "Add a member.",
        "They are invited by mail, and choose a password by the link in it, which is good for 7 days. Or the password "
        "is asked for, twice, or read from a file; it is never an argument, which others could see.",
    )
    _takes_district(add)
    add.add_argument("email", metavar="EMAIL", help="the login")
    add.add_argument("--first", metavar="NAME", required=True, help="first name")
    add.add_argument("--last", metavar="NAME", required=True, help="last name")
    add.add_argument(
        "--role",
        required=True,
        help="district manager, school manager, instructor, or a role of the district's own",
    )
    add.add_argument(
        "--school",
        metavar="ID",
        action="append",
        default=[],
        help="a SCHOOL_ID that a school manager or instructor covers; repeat it for more",
    )
    password = add.add_mutually_exclusive_group()
    password.add_argument(
        "--password-file", metavar="FILE", help="take its first line as the password; - is stdin"
    )
    password.add_argument(
        "--ask-password", action="store_true", help="ask for the password on the terminal"
    )
    off = _command(
        verbs,
        "second-factor-off",
        "staff.second_factor_off",
        "Switch off a member's second factor.",
        "For who has lost app and recovery codes, and has no manager who could do it under Staff. Be sure that it is "
        "they who ask. Their password alone signs them in again, sessions end, and they are told by mail.",
    )
    off.add_argument("email", metavar="EMAIL", help="the login")


def _student(nouns: "Nouns[Any]") -> None:
    verbs = _command_group(nouns, "student", "The students of a district.")
    load = _command(
        verbs,
        "load",
        "student.load",
        "Load a student file: change students, and add those who are new.",
        "It is an update like any other, with mode=add; a running server does the work, else this command itself. "
        "Stopped half-way, it goes on when the same command is given again, or when the server starts.",
    )
    _takes_district(load)
    load.add_argument("file", type=Path, metavar="FILE", help="such as base.csv")
    export = _command(
        verbs,
        "export",
        "student.export",
        "Write every student as a student file, in the order of STUDENT_ID.",
        "All columns but PASSWORD. The file can be loaded again as it is.",
    )
    _takes_district(export)
    export.add_argument(
        "--output", type=Path, metavar="FILE", help="write to this file and not to stdout"
    )
    show = _command(verbs, "show", "student.show", "Show a student's record and history.")
    _takes_district(show)
    show.add_argument(
        "student_id", metavar="STUDENT_ID", help="exactly as in the student file: 00123 is not 123"
    )
    _takes_json(show)


def _file(nouns: "Nouns[Any]") -> None:
    verbs = _command_group(nouns, "file", "Student files that have not been sent.")
    check = _command(
        verbs,
        "check",
        "file.check",
        "Check a student file before it is sent; needs no server and no data folder.",
        "All the rules of the file and of its cells. Only an update can tell which students and schools exist, and "
        "which rows want what another row or student has.",
        opening=None,
    )
    check.add_argument("file", type=Path, metavar="FILE", help="such as students.csv")
    check.add_argument(
        "--encoding", metavar="NAME", default="utf-8", help="as the district's settings name it"
    )
    _takes_json(check)


def _update(nouns: "Nouns[Any]") -> None:
    verbs = _command_group(
        nouns, "update", "The updates of a district: student files, and what became of them."
    )
    listed = _command(verbs, "list", "update.list_updates", "List the updates, the latest first.")
    _takes_district(listed)
    _takes_json(listed)
    show = _command(
        verbs,
        "show",
        "update.show",
        "Show what became of an update.",
        "With --rejected: its rejected rows as a student file, as they were sent, without passwords, and with "
        "_LINE_OF_UPDATE_17, _CODE and _MESSAGE, which say where and what is wrong. Repaired, it can be sent as it is, "
        "and the update that comes of it is known to mend this one.",
        "With --not-processed: in the same way the rows that it ended without, because it was canceled or failed. "
        "With --changes: every field that it changed, old value and new.",
    )
    _takes_district(show)
    show.add_argument(
        "number",
        metavar="NUMBER",
        type=int,
        nargs="?",
        help="default: the running update, else the latest",
    )
    form = show.add_mutually_exclusive_group()
    _takes_json(form)
    for option, file in (
        ("--rejected", "rejected rows"),
        ("--not-processed", "rows not processed"),
        ("--changes", "changes"),
    ):
        form.add_argument(
            option, dest="file", action="store_const", const=file, help=f"the {file} as CSV"
        )


def _audit(nouns: "Nouns[Any]") -> None:
    verbs = _command_group(nouns, "audit", "What was written down of who did and saw what.")
    _command(
        verbs,
        "check",
        "audit.check",
        "Look whether the audit is still as it was written.",
        "Every event is sealed soon after it is written, with a key that is not in the database. A seal that does not "
        "fit tells of an event that was changed, added or removed behind Rollbook's back.",
    )


def _admin(nouns: "Nouns[Any]") -> None:
    admin = _command(
        nouns,
        "admin",
        "admin.admin",
        "Serve pages for operators, on this machine alone.",
        "They show the districts of this server with their staff, updates, letters and audit, and no student. Nothing "
        "but a district's name can be changed there. Each look is in the audit.",
        "It prints the address and a secret that lets one browser in, once, and serves until SIGTERM or Ctrl-C. It "
        "runs beside the server, or without it.",
        opening="operators",
    )
    admin.add_argument(
        "--port", type=_port, default=8444, help="the port (default: 8444; 0 takes a free one)"
    )


def _doctor(nouns: "Nouns[Any]") -> None:
    doctor = _command(
        nouns,
        "doctor",
        "doctor.doctor",
        "Say what is wrong with this installation, and how to mend it.",
        "It looks at settings, data folder, disk, database, keys, clock, server, certificate, worker, updates, letters "
        "and mail, and changes nothing. Each is OK, WARNING or ERROR. It ends with 1 if there is an error, and with 0 "
        "if there are warnings alone. Run it under the account and with the settings of the server.",
        opening=None,  # it must work where nothing else does
    )
    doctor.add_argument(
        "--data", type=Path, metavar="DIR", default=SUPPRESS, help="the data folder"
    )
    doctor.add_argument(
        "--cert", type=Path, metavar="FILE", help="the certificate, as `serve` gets it"
    )
    doctor.add_argument(
        "--key", type=Path, metavar="FILE", help="its private key, as `serve` gets it"
    )
    doctor.add_argument("--behind-proxy", action="store_true", help="a proxy has the certificate")
    doctor.add_argument("--mail-to", metavar="EMAIL", help="send a mail there; else none is sent")
    _takes_json(doctor)


def _takes_district(leaf: ArgumentParser) -> None:
    leaf.add_argument("district", metavar="DISTRICT", help="its short name, such as maple-usd")


def _takes_json(leaf: Any) -> None:
    leaf.add_argument("--json", action="store_true", help="the same as JSON")
