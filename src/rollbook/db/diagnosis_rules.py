"""Every reason why a database cannot be used, in words; of several that one error gives, the first here is told.

What a server itself says comes before what the network did: a name may have many addresses, each tried in turn.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DiagnosisRule:
    """One entry of the closed list.

    ``what`` happened and how to ``repair`` it, with {at}, {where}, {host}, {user} and {database} where the names of
    this one belong. The ``pattern`` is searched in the database's own name for the error (PostgreSQL's SQLSTATE,
    SQLite's error name; a dash if it gave none), a space, and its text; its groups may stand in braces too.
    """

    code: str
    what: str
    repair: str
    pattern: str


_URL_ENCODING_HINT = "write %40 for an @ in the password, %2F for a / and so on"

_ACCESS = (
    DiagnosisRule(
        "no_password",
        "{at} wants a password, and DATABASE_URL has none",
        "write it behind the user, postgres://USER:PASSWORD@HOST/DATABASE, best in a file that DATABASE_URL_FILE names",
        "no password supplied",
    ),
    DiagnosisRule(
        "wrong_password",
        "{at} knows no user {user} with this password",
        f"correct user and password in DATABASE_URL ({_URL_ENCODING_HINT}), or give the user a new password there: "
        "`\\password {user}` in psql",
        "^28P01|password authentication failed",
    ),
    DiagnosisRule(
        "no_such_user",
        "{at} has no user {user}",
        "correct the user in DATABASE_URL, or make it there: `createuser --pwprompt {user}`",
        r'role "[^"]*" does not exist',
    ),
    DiagnosisRule(
        "other_account",
        "{at} takes {user} only from the system's account of that name",
        "run Rollbook under that account, or let DATABASE_URL name a host and a password",
        "(?i:peer|ident) authentication failed",
    ),
    DiagnosisRule(
        "no_login",
        "{at} does not let {user} sign in",
        "let it: `ALTER ROLE {user} LOGIN` in psql; or name another user in DATABASE_URL",
        "is not permitted to log in",
    ),
    DiagnosisRule(
        "no_such_database",
        "{at} has no database {database}",
        "correct its name in DATABASE_URL, or make it there: `createdb --owner={user} --encoding=UTF8 {database}`",
        '^3D000|database "[^"]*" does not exist',
    ),
    DiagnosisRule(
        "no_connect",
        "{at} does not let {user} into the database {database}",
        "let it: `GRANT CONNECT ON DATABASE {database} TO {user}` in psql",
        "permission denied for database",
    ),
    DiagnosisRule(
        "tls_required",
        "{at} does not let {user} into {database} from this machine without TLS",
        "add sslmode=require to DATABASE_URL, or a line for this machine to the server's pg_hba.conf and reload it",
        r"(?s)\A(?!.*SSL encryption).*pg_hba\.conf .*(?:no encryption|SSL off)",
    ),
    DiagnosisRule(
        "not_let_in",
        "{at} does not let {user} into {database} from this machine",
        "add a line for this user, database and machine to the server's pg_hba.conf, and reload it",
        r"pg_hba\.conf",
    ),
)

_SERVER_STATE = (
    DiagnosisRule(
        "too_old",
        "{product} {found} is too old for Rollbook",
        "bring it to {product} {needed} or later",
        r"(?P<product>\w+) (?P<needed>[\d.]+) or later is required \(found (?P<found>[\d.]+?)\.?\)",
    ),
    DiagnosisRule(
        "stopping",
        "{at} is shutting down",
        "start it again, and try again",
        "is shutting down",
    ),
    DiagnosisRule(
        "starting",
        "{at} is starting, or recovering from a crash",
        "try again in a moment; if it stays so, its log says why",
        "^57P03|the database system is",
    ),
    DiagnosisRule(
        "too_many_connections",
        "{at} has as many connections as it may have",
        "see who has them (`SELECT * FROM pg_stat_activity`), end what nobody needs, or raise max_connections or the "
        "limit of {user} or {database}",
        "^53300|too many (?:clients|connections)|connection slots are reserved",
    ),
    DiagnosisRule(
        "disk_full",
        "the disk of {at} is full",
        "make room there, and try again",
        "^53100|^SQLITE_FULL|No space left on device",
    ),
    DiagnosisRule(
        "read_only",
        "{at} lets nobody write",
        "see whether it is a standby, whether default_transaction_read_only is on, or whether its disk is read-only",
        "^25006|session is read-only",
    ),
)

_PRIVILEGES = (
    DiagnosisRule(
        "no_tables",
        "{at} does not let {user} make tables in {database}",
        "give it the database, `ALTER DATABASE {database} OWNER TO {user}` in psql, or the schema in it, "
        "`GRANT ALL ON SCHEMA public TO {user}`",
        "^42501 .*denied for (?:schema|database)",
    ),
    DiagnosisRule(
        "not_owner",
        "what is in the database {database} of {at} belongs to another user than {user}",
        "name the user in DATABASE_URL that was there before, or give everything to this one: "
        "`REASSIGN OWNED BY other TO {user}` in psql",
        "^42501",
    ),
    DiagnosisRule(
        "no_schema",
        "the database {database} of {at} has no schema in which {user} can make tables",
        "correct the user's search_path, or make the schema: `CREATE SCHEMA public AUTHORIZATION {user}` in psql",
        "^3F000",
    ),
)

_TLS = (
    DiagnosisRule(
        "tls_not_offered",
        "{at} offers no TLS, which sslmode in DATABASE_URL asks for",
        "switch it on there (`ssl = on`); or, if nobody else hears that network, take sslmode out",
        "does not support SSL",
    ),
    DiagnosisRule(
        "tls_not_trusted",
        "the certificate of {at} cannot be trusted",
        "name its issuer's certificate with sslrootcert=FILE in DATABASE_URL, and the host as the certificate does",
        "certificate verify failed|root certificate|does not match host",
    ),
    DiagnosisRule(
        "tls_fails",
        "{at} and this machine do not agree on TLS ({said})",
        "see the ssl_ settings of the server and those in DATABASE_URL",
        r"(?P<said>(?:SSL|TLS) error(?!: unexpected eof)[^\n]*)",
    ),
)

_NETWORK = (
    DiagnosisRule(
        "bad_address",
        "DATABASE_URL says something about {option} that cannot be",
        f"write it like postgres://user:password@host:5432/database; {_URL_ENCODING_HINT}",
        r'(?:(?:is bad|failed): invalid (?:integer value .* option ")?|invalid value for parameter ")(?P<option>\w+)',
    ),
    DiagnosisRule(
        "not_postgresql",
        "what listens {where} is no PostgreSQL",
        "correct host and port in DATABASE_URL",
        "invalid response to SSL negotiation|expected authentication request",
    ),
    DiagnosisRule(
        "nobody_listens",
        "{at} cannot be reached: nobody listens there",
        "start it, or correct host and port in DATABASE_URL",
        "Connection refused|on socket .*No such file",
    ),
    DiagnosisRule(
        "name_not_found",
        "the host {host} is not known on this machine",
        f"correct it in DATABASE_URL ({_URL_ENCODING_HINT}), or see to the machine's name service",
        "failed to resolve host|could not translate host name",
    ),
    DiagnosisRule(
        "no_answer",
        "{at} does not answer",
        "see whether that machine runs, and whether a firewall is in between",
        "timeout expired|timed out|No route to host|is unreachable",
    ),
    DiagnosisRule(
        "cut_off",
        "{at} ended the connection",
        "try again; if it happens again, the server's log says why",
        "^08|^57P0[12]|SSL SYSCALL error|unexpected eof|consuming input failed"
        "|closed the connection|connection (?:is|was|has been) (?:closed|lost)",
    ),
)

_SQLITE = (
    DiagnosisRule(
        "not_a_database",
        "{at} is not a database",
        "put the one from your last backup in its place, with what is beside it",
        "^SQLITE_NOTADB",
    ),
    DiagnosisRule(
        "damaged",
        "{at} is damaged",
        "stop the server, keep a copy of the data folder, and put your last backup in its place",
        "^SQLITE_CORRUPT",
    ),
    DiagnosisRule(
        "locked",
        "another program has held {at} too long",
        "see which (`fuser -v {at}`), and try again when it has ended",
        "^SQLITE_(?:BUSY|LOCKED|PROTOCOL)",
    ),
    DiagnosisRule(
        "not_readable",
        "{at} cannot be opened",
        "see that the file and its folder belong to whoever runs this command",
        "^SQLITE_(?:CANTOPEN|PERM|AUTH)",
    ),
    DiagnosisRule(
        "not_writable",
        "{at} cannot be written",
        "see that the file, those beside it and their folder belong to whoever runs this command, and that the disk is "
        "not read-only",
        "^SQLITE_READONLY",
    ),
    DiagnosisRule(
        "disk_fails",
        "the disk under {at} fails",
        "see the system's log (`dmesg`), and have a copy of the data folder before anything else",
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
    "the database in {at} does not answer ({said})",
    "see that its disk has room, and try again",
    "",
)
