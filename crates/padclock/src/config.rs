//! Settings from four places: flag, environment, file, default, in that order. Parsed once; nothing else reads the
//! environment for them.

mod given;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use padclock_server::{RootKeySource, Settings};
use padclock_vault::Value;

pub(crate) use given::Flags;
use given::read_file;

/// Where a setting came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Flag,
    Environment,
    File,
    Default,
}

impl Source {
    const fn word(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        }
    }
}

/// One setting, as text.
#[derive(Clone)]
struct Entry {
    key: &'static str,
    value: Option<String>,
    source: Source,
    secret: bool,
}

/// All settings, with their sources.
pub(crate) struct Config {
    entries: Vec<Entry>,
    root_key: Option<Value>,
    bootstrap_token: Option<Value>,
}

/// Reads what this process was told.
pub(crate) fn resolve(flags: &Flags) -> Result<Config> {
    resolve_from(flags, &|name| std::env::var(name).ok())
}

type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

fn resolve_from(flags: &Flags, env: Environment<'_>) -> Result<Config> {
    let data = flags
        .data
        .clone()
        .or_else(|| env("PADCLOCK_DATA"))
        .map_or_else(|| default_data(env), PathBuf::from);
    let file = read_file(flags.config.as_deref(), env, &data)?;
    let pick =
        |key, flag: Option<String>, name: &str, file: Option<String>, default: Option<&str>| {
            let (value, source) = match (flag, env(name).filter(|text| !text.is_empty()), file) {
                (Some(value), _, _) => (Some(value), Source::Flag),
                (None, Some(value), _) => (Some(value), Source::Environment),
                (None, None, Some(value)) => (Some(value), Source::File),
                (None, None, None) => (default.map(str::to_owned), Source::Default),
            };
            Entry {
                key,
                value,
                source,
                secret: false,
            }
        };
    let joined = |list: Vec<String>| (!list.is_empty()).then(|| list.join(","));
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let database = from_file(env, "PADCLOCK_DATABASE_URL")?;
    let mut entries = vec![
        pick(
            "listen",
            flags.listen.clone(),
            "PADCLOCK_LISTEN",
            file.listen,
            Some("127.0.0.1:7464"),
        ),
        pick(
            "data",
            flags.data.clone(),
            "PADCLOCK_DATA",
            file.data,
            Some(&data.display().to_string()),
        ),
        pick(
            "database",
            flags.database.clone().or(database),
            "PADCLOCK_DATABASE_URL",
            file.database,
            None,
        ),
        pick(
            "root_key_file",
            flags.root_key_file.clone(),
            "PADCLOCK_ROOT_KEY_FILE",
            file.root_key_file,
            None,
        ),
        pick(
            "root_key_command",
            None,
            "PADCLOCK_ROOT_KEY_COMMAND",
            file.root_key_command,
            None,
        ),
        pick(
            "egress.allow",
            joined(flags.egress_allow.clone()),
            "PADCLOCK_EGRESS_ALLOW",
            joined(file.egress.allow.unwrap_or_default()),
            Some(""),
        ),
        pick(
            "extra_ca",
            flags.extra_ca.clone(),
            "PADCLOCK_EXTRA_CA",
            file.extra_ca,
            None,
        ),
        pick(
            "behind_proxy",
            flags.behind_proxy.then(|| "true".to_owned()),
            "PADCLOCK_BEHIND_PROXY",
            file.behind_proxy.map(|on| on.to_string()),
            Some("false"),
        ),
        pick(
            "public_url",
            flags.public_url.clone(),
            "PADCLOCK_PUBLIC_URL",
            file.public_url,
            None,
        ),
        pick("node", flags.node.clone(), "PADCLOCK_NODE", file.node, None),
        pick(
            "max_in_flight",
            flags.max_in_flight.clone(),
            "PADCLOCK_MAX_IN_FLIGHT",
            number(file.max_in_flight),
            Some("512"),
        ),
        pick(
            "per_host",
            flags.per_host.clone(),
            "PADCLOCK_PER_HOST",
            number(file.per_host),
            Some("64"),
        ),
        pick(
            "drain_timeout",
            flags.drain_timeout.clone(),
            "PADCLOCK_DRAIN_TIMEOUT",
            number(file.drain_timeout),
            Some("30"),
        ),
        pick(
            "lease_ttl",
            None,
            "PADCLOCK_LEASE_TTL",
            number(file.lease_ttl),
            Some("30"),
        ),
        pick(
            "audit_copy",
            flags.audit_copy.clone(),
            "PADCLOCK_AUDIT_COPY",
            file.audit_copy,
            None,
        ),
        pick(
            "history.days",
            flags.history_days.clone(),
            "PADCLOCK_HISTORY_DAYS",
            number(file.history.days),
            Some("30"),
        ),
        pick(
            "history.per_job",
            flags.history_per_job.clone(),
            "PADCLOCK_HISTORY_PER_JOB",
            number(file.history.per_job),
            Some("1000"),
        ),
    ];
    // A database's URL may hold its password.
    for entry in &mut entries {
        entry.secret = entry.key == "database" || entry.key == "root_key_command";
    }
    let value = |text: String| Value::new(text.into_bytes());
    Ok(Config {
        entries,
        root_key: env("PADCLOCK_ROOT_KEY").map(value),
        bootstrap_token: env("PADCLOCK_BOOTSTRAP_TOKEN")
            .map_or_else(
                || from_file(env, "PADCLOCK_BOOTSTRAP_TOKEN"),
                |text| Ok(Some(text)),
            )?
            .map(value),
    })
}

/// A setting that stands in a file named by the variable with `_FILE` behind it.
fn from_file(env: Environment<'_>, name: &str) -> Result<Option<String>> {
    let Some(path) = env(&format!("{name}_FILE")) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{name}_FILE: {path} can't be read"))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn default_data(env: Environment<'_>) -> PathBuf {
    let given = env("XDG_DATA_HOME").filter(|path| path.starts_with('/'));
    let base = given.map_or_else(
        || Path::new(&env("HOME").unwrap_or_else(|| ".".to_owned())).join(".local/share"),
        PathBuf::from,
    );
    base.join("padclock")
}

/// An address that links can begin with.
fn public_url(text: &str) -> Result<String> {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    match rest.map(|rest| rest.trim_end_matches('/')) {
        Some(host)
            if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ', '"', '<', '>']) =>
        {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => bail!("public_url must be a scheme and a host, such as https://cron.example.com"),
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Config {
    fn get(&self, key: &str) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        entry.value.as_deref().filter(|value| !value.is_empty())
    }

    fn parsed<T: std::str::FromStr>(&self, key: &str, expected: &str) -> Result<T> {
        let text = self.get(key).unwrap_or_default();
        text.parse()
            .map_err(|_| anyhow::anyhow!("{key} must be {expected}"))
    }

    fn bounded(&self, key: &str, least: u32, most: u32) -> Result<u32> {
        let expected = format!("a number from {least} to {most}");
        match self.parsed(key, &expected)? {
            number if (least..=most).contains(&number) => Ok(number),
            _ => bail!("{key} must be {expected}"),
        }
    }

    /// The database's URL, the embedded one's when none is named.
    pub(crate) fn database_url(&self) -> String {
        let data = Path::new(self.get("data").unwrap_or(".")).to_owned();
        self.get("database").map_or_else(
            || format!("sqlite://{}", data.join("padclock.db").display()),
            str::to_owned,
        )
    }

    fn root_key(&self, data: &Path) -> RootKeySource {
        if let Some(path) = self.get("root_key_file") {
            return RootKeySource::File(path.into());
        }
        let credential = std::env::var_os("CREDENTIALS_DIRECTORY")
            .map(|folder| Path::new(&folder).join("padclock-root-key"));
        if let Some(path) = credential.filter(|path| path.exists()) {
            return RootKeySource::File(path);
        }
        if let Some(key) = &self.root_key {
            return RootKeySource::Hex(key.duplicate());
        }
        match self.get("root_key_command") {
            Some(command) => RootKeySource::Command(command.to_owned()),
            None => RootKeySource::Kept(data.join("root.key")),
        }
    }

    /// The settings, checked.
    pub(crate) fn settings(&self) -> Result<Settings> {
        let data = PathBuf::from(self.get("data").unwrap_or("."));
        let allow = self
            .get("egress.allow")
            .unwrap_or_default()
            .split(',')
            .filter(|part| !part.trim().is_empty());
        let cidr = |text: &str| {
            text.trim().parse().map_err(|_| {
                anyhow::anyhow!("egress.allow must hold ranges such as 127.0.0.0/8 or 10.1.0.0/16")
            })
        };
        Ok(Settings {
            listen: self
                .parsed::<SocketAddr>("listen", "an address and a port, such as 127.0.0.1:7464")?,
            database: self.get("database").map(str::to_owned),
            root_key: self.root_key(&data),
            bootstrap_token: self.bootstrap_token.as_ref().map(Value::duplicate),
            public_url: self.get("public_url").map(public_url).transpose()?,
            behind_proxy: self.parsed("behind_proxy", "true or false")?,
            egress_allow: allow.map(cidr).collect::<Result<_>>()?,
            extra_ca: self.get("extra_ca").map(PathBuf::from),
            node: self.get("node").map(str::to_owned),
            max_in_flight: self.bounded("max_in_flight", 1, 100_000)? as usize,
            per_host: self.bounded("per_host", 1, 100_000)? as usize,
            drain_timeout: Duration::from_secs(self.bounded("drain_timeout", 0, 3_600)?.into()),
            // Shorter, and a busy node loses what it runs; longer, and what a dead one ran waits for minutes.
            lease_ttl: Duration::from_secs(self.bounded("lease_ttl", 3, 300)?.into()),
            audit_copy: self
                .get("audit_copy")
                .map(|text| {
                    text.parse()
                        .map_err(|expected| anyhow::anyhow!("audit_copy must be {expected}"))
                })
                .transpose()?,
            retention: padclock_store::Retention {
                days: self.bounded("history.days", 1, 36_500)?,
                per_job: self.bounded("history.per_job", 1, 1_000_000)?,
            },
            ..Settings::new(data)
        })
    }

    /// A line for each setting, secrets hidden.
    pub(crate) fn shown(&self) -> String {
        let hidden = |entry: &Entry| match &entry.value {
            Some(_) if entry.secret => "(set, not shown)".to_owned(),
            Some(value) => value.clone(),
            None => "(none)".to_owned(),
        };
        let line = |entry: &Entry| {
            format!(
                "{:<18} {:<40} {}",
                entry.key,
                hidden(entry),
                entry.source.word()
            )
        };
        let mut lines: Vec<String> = self.entries.iter().map(line).collect();
        let set = |given: &Option<Value>| {
            if given.is_some() {
                "(set, not shown)"
            } else {
                "(none)"
            }
        };
        for (key, given) in [
            ("root_key", &self.root_key),
            ("bootstrap_token", &self.bootstrap_token),
        ] {
            let source = if given.is_some() {
                Source::Environment
            } else {
                Source::Default
            };
            lines.push(format!("{key:<18} {:<40} {}", set(given), source.word()));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests;
