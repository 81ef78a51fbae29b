//! User and password in a URL: `scheme://user:password@host`, of databases and of the web.

use crate::engine::Check;
use crate::finding::{Candidate, Sure};
use crate::placeholder;
use crate::rule::Rule;
use crate::strength;

static WEB: Rule = Rule::new("url-credentials", "Password in a URL", "url_password");
static DATABASE: Rule = Rule::new(
    "connection-string",
    "Password in a connection string",
    "database_password",
);

pub(crate) const RULES: &[&Rule] = &[&WEB, &DATABASE];
pub(crate) const CHECKS: &[(&str, Check)] = &[("://", check)];

const LONGEST: usize = 512;
const DATABASES: &[&str] = &[
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "mongodb",
    "srv",
    "redis",
    "rediss",
    "amqp",
    "amqps",
    "mssql",
    "sqlserver",
    "clickhouse",
    "cockroachdb",
    "oracle",
    "psycopg2",
    "pymysql",
    "asyncpg",
    "ldap",
    "ldaps",
    "smtp",
    "smtps",
    "nats",
    "kafka",
    "cassandra",
    "couchdb",
];

fn check(text: &str, at: usize, end: usize) -> Option<Candidate> {
    let bytes = text.as_bytes();
    let scheme = at
        - bytes[at.saturating_sub(16)..at]
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
    if scheme == at {
        return None;
    }
    let rest = &bytes[end..bytes.len().min(end + LONGEST)];
    // A password may hold a slash or a question mark that should have been escaped: the at-sign decides.
    let stops =
        |byte: &u8| byte.is_ascii_whitespace() || b"\"'`<>|\\,)".contains(byte) || *byte == b'/';
    let authority = &rest[..rest.iter().position(stops).unwrap_or(rest.len())];
    let host = authority.iter().rposition(|byte| *byte == b'@')?;
    let info = text.get(end..end + host)?;
    let (start, password) = match info.split_once(':') {
        Some((user, password)) => (end + user.len() + 1, password),
        None => (end, info),
    };
    let told = match info.split_once(':') {
        Some((user, _)) => {
            password.len() >= 3
                && !user.eq_ignore_ascii_case(password)
                && !placeholder::is_placeholder(password)
        }
        None => strength::is_credential(password, strength::Kind::Weak, strength::Style::Tight),
    };
    let named = matches!(
        password.to_ascii_lowercase().as_str(),
        "port" | "x-oauth-basic" | "xxx" | "pw" | "..."
    );
    let rule = if DATABASES.contains(&text[scheme..at].to_ascii_lowercase().as_str()) {
        &DATABASE
    } else {
        &WEB
    };
    (told && !named && authority.len() > host + 1)
        .then(|| Candidate::new(rule, start..end + host, Sure::Form))
}
