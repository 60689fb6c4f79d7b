"""The reasons why a database can't be used, each with a fix.

The first rule that matches an error applies. Errors of the server are listed before errors of the
network, because a host name can have several addresses, and each of them is tried.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DiagnosisRule:
    """One reason.

    ``what`` and ``repair`` are format strings with the placeholders {at}, {where}, {host}, {user}
    and {database}, and one for each named group of ``pattern``.

    Attributes:
        code: Identifies the reason.
        what: What is wrong, without a period.
        repair: How to fix it, without a period.
        pattern: A regular expression that is searched in the name of the error (PostgreSQL's
            SQLSTATE, SQLite's error name, or a dash), a space, and the text of the error.
    """

    code: str
    problem: str
    fix: str
    pattern: str


_URL_ENCODING_HINT = "write %40 for an @ in the password, %2F for a / and so on"

_ACCESS = (
    DiagnosisRule(
        "no_password",
        "{at} requires a password, and DATABASE_URL has none",
        "add it after the user, postgres://USER:PASSWORD@HOST/DATABASE, preferably in a file that "
        "DATABASE_URL_FILE names",
        "no password supplied",
    ),
    DiagnosisRule(
        "wrong_password",
        "{at} does not accept this password for the user {user}",
        f"correct the user and password in DATABASE_URL ({_URL_ENCODING_HINT}), or set a new "
        "password for the user: `\\password {user}` in psql",
        "^28P01|password authentication failed",
    ),
    DiagnosisRule(
        "no_such_user",
        "{at} has no user {user}",
        "correct the user in DATABASE_URL, or create it: `createuser --pwprompt {user}`",
        r'role "[^"]*" does not exist',
    ),
    DiagnosisRule(
        "other_account",
        "{at} accepts the user {user} only from the system account of that name",
        "run Rollbook under that account, or set a host and a password in DATABASE_URL",
        "(?i:peer|ident) authentication failed",
    ),
    DiagnosisRule(
        "no_login",
        "{at} does not allow {user} to log in",
        "allow it with `ALTER ROLE {user} LOGIN` in psql, or set another user in DATABASE_URL",
        "is not permitted to log in",
    ),
    DiagnosisRule(
        "no_such_database",
        "{at} has no database {database}",
        "correct its name in DATABASE_URL, or create it: "
        "`createdb --owner={user} --encoding=UTF8 {database}`",
        '^3D000|database "[^"]*" does not exist',
    ),
    DiagnosisRule(
        "no_connect",
        "{at} does not allow {user} to connect to the database {database}",
        "allow it: `GRANT CONNECT ON DATABASE {database} TO {user}` in psql",
        "permission denied for database",
    ),
    DiagnosisRule(
        "tls_required",
        "{at} does not allow {user} to connect to {database} from this machine without TLS",
        "add sslmode=require to DATABASE_URL, or add a line for this machine to the server's "
        "pg_hba.conf and reload it",
        r"(?s)\A(?!.*SSL encryption).*pg_hba\.conf .*(?:no encryption|SSL off)",
    ),
    DiagnosisRule(
        "not_let_in",
        "{at} does not allow {user} to connect to {database} from this machine",
        "add a line for this user, database and machine to the server's pg_hba.conf and reload it",
        r"pg_hba\.conf",
    ),
)

_SERVER_STATE = (
    DiagnosisRule(
        "too_old",
        "{product} {installed} is too old for Rollbook",
        "upgrade to {product} {required} or later",
        r"(?P<product>\w+) (?P<required>[\d.]+) or later is required "
        r"\(found (?P<installed>[\d.]+?)\.?\)",
    ),
    DiagnosisRule(
        "stopping",
        "{at} is shutting down",
        "restart it, then try again",
        "is shutting down",
    ),
    DiagnosisRule(
        "starting",
        "{at} is starting, or recovering from a crash",
        "try again in a moment; if the problem persists, see its log",
        "^57P03|the database system is",
    ),
    DiagnosisRule(
        "too_many_connections",
        "{at} has no connection left",
        "list the connections (`SELECT * FROM pg_stat_activity`) and end those no one needs, or "
        "raise max_connections or the limit of {user} or {database}",
        "^53300|too many (?:clients|connections)|connection slots are reserved",
    ),
    DiagnosisRule(
        "disk_full",
        "the disk of {at} is full",
        "free up space there, then try again",
        "^53100|^SQLITE_FULL|No space left on device",
    ),
    DiagnosisRule(
        "read_only",
        "{at} is read-only",
        "check whether it is a standby, whether default_transaction_read_only is on, and whether "
        "its disk is read-only",
        "^25006|session is read-only",
    ),
)

_PRIVILEGES = (
    DiagnosisRule(
        "no_tables",
        "{at} does not allow {user} to create tables in {database}",
        "make it the owner of the database, `ALTER DATABASE {database} OWNER TO {user}` in psql, "
        "or grant it the schema, `GRANT ALL ON SCHEMA public TO {user}`; if another user is to own "
        "the tables, run `rollbook migrate` with that one in ROLLBOOK_MIGRATE_DATABASE_URL",
        "^42501 .*denied for (?:schema|database)",
    ),
    DiagnosisRule(
        "not_owner",
        "the tables in the database {database} of {at} belong to another user than {user}",
        "set their owner as the user in ROLLBOOK_MIGRATE_DATABASE_URL and run `rollbook migrate`, "
        "which grants {user} what is needed, or make this user the owner: "
        "`REASSIGN OWNED BY other TO {user}` in psql",
        "^42501",
    ),
    DiagnosisRule(
        "no_schema",
        "the database {database} of {at} has no schema in which {user} can create tables",
        "correct the user's search_path, or create the schema: "
        "`CREATE SCHEMA public AUTHORIZATION {user}` in psql",
        "^3F000",
    ),
)

_TLS = (
    DiagnosisRule(
        "tls_not_offered",
        "{at} does not offer TLS, which sslmode in DATABASE_URL requires",
        "turn it on there (`ssl = on`); or, if the network is private, remove sslmode",
        "does not support SSL",
    ),
    DiagnosisRule(
        "tls_not_trusted",
        "the certificate of {at} can't be trusted",
        "set sslrootcert=FILE in DATABASE_URL to the certificate of its issuer, and use the host "
        "name of the certificate",
        "certificate verify failed|root certificate|does not match host",
    ),
    DiagnosisRule(
        "tls_fails",
        "{at} and this machine can't agree on TLS ({reason})",
        "check the ssl_ settings of the server and those in DATABASE_URL",
        r"(?P<reason>(?:SSL|TLS) error(?!: unexpected eof)[^\n]*)",
    ),
)

_NETWORK = (
    DiagnosisRule(
        "bad_address",
        "DATABASE_URL has an invalid value for {option}",
        f"write it like postgres://user:password@host:5432/database; {_URL_ENCODING_HINT}",
        r'(?:(?:is bad|failed): invalid (?:integer value .* option ")?'
        r'|invalid value for parameter ")(?P<option>\w+)',
    ),
    DiagnosisRule(
        "not_postgresql",
        "the server {where} is not PostgreSQL",
        "correct the host and port in DATABASE_URL",
        "invalid response to SSL negotiation|expected authentication request",
    ),
    DiagnosisRule(
        "nobody_listens",
        "{at} can't be reached: no server is listening there",
        "start it, or correct the host and port in DATABASE_URL",
        "Connection refused|on socket .*No such file",
    ),
    DiagnosisRule(
        "name_not_found",
        "the host name {host} can't be resolved on this machine",
        f"correct it in DATABASE_URL ({_URL_ENCODING_HINT}), or check the machine's DNS settings",
        "failed to resolve host|could not translate host name",
    ),
    DiagnosisRule(
        "no_answer",
        "{at} does not answer",
        "check whether that machine is running, and whether a firewall is in between",
        "timeout expired|timed out|No route to host|is unreachable",
    ),
    DiagnosisRule(
        "cut_off",
        "{at} closed the connection",
        "try again; if it happens again, see the server's log",
        "^08|^57P0[12]|SSL SYSCALL error|unexpected eof|consuming input failed"
        "|closed the connection|connection (?:is|was|has been) (?:closed|lost)",
    ),
)

_SQLITE = (
    DiagnosisRule(
        "not_a_database",
        "{at} is not a database",
        "restore the file, and the files next to it, from your last backup",
        "^SQLITE_NOTADB",
    ),
    DiagnosisRule(
        "damaged",
        "{at} is damaged",
        "stop the server, keep a copy of the data folder, and restore your last backup",
        "^SQLITE_CORRUPT",
    ),
    DiagnosisRule(
        "locked",
        "{at} is locked by another program",
        "find it (`fuser -v {at}`), and try again when it has ended",
        "^SQLITE_(?:BUSY|LOCKED|PROTOCOL)",
    ),
    DiagnosisRule(
        "not_readable",
        "{at} can't be opened",
        "make sure that the account that runs this command owns the file and its folder",
        "^SQLITE_(?:CANTOPEN|PERM|AUTH)",
    ),
    DiagnosisRule(
        "not_writable",
        "{at} can't be written",
        "make sure that the account that runs this command owns the file, the files next to it and "
        "their folder, and that the disk is not read-only",
        "^SQLITE_READONLY",
    ),
    DiagnosisRule(
        "disk_fails",
        "the disk of {at} is failing",
        "make a copy of the data folder first, then see the system log (`dmesg`)",
        "^SQLITE_IOERR|^58030",
    ),
)

DIAGNOSIS_RULES: tuple[DiagnosisRule, ...] = (
    *_ACCESS,
    *_SERVER_STATE,
    *_PRIVILEGES,
    *_TLS,
    *_NETWORK,
    *_SQLITE,
)

OTHER_ERROR = DiagnosisRule(
    "other",
    "the database in {at} can't be used ({reason})",
    "make sure that its disk has free space, then try again",
    "",
)
