//! Settings from four places: flag, environment, file, default, in that order. Parsed once; nothing else reads the
//! environment for them.

mod given;
mod pick;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use padclock_server::{RootKeySource, Settings, TlsFiles};
use padclock_vault::Value;

pub(crate) use given::Flags;
use given::read_file;
use pick::{Entry, Source};

/// All settings, with their sources.
pub(crate) struct Config {
    entries: Vec<Entry>,
    root_key: Option<Value>,
    bootstrap_token: Option<Value>,
    new_root_key: Option<Value>,
    new_root_key_command: Option<String>,
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
    let database = from_file(env, "PADCLOCK_DATABASE_URL")?;
    let entries = pick::entries(flags, file, (env, &data, database));
    with_secrets(entries, env)
}

/// Adds what is never shown.
fn with_secrets(entries: Vec<Entry>, env: Environment<'_>) -> Result<Config> {
    let value = |text: String| Value::new(text.into_bytes());
    Ok(Config {
        entries,
        root_key: env("PADCLOCK_ROOT_KEY").map(value),
        new_root_key: env("PADCLOCK_NEW_ROOT_KEY").map(value),
        new_root_key_command: env("PADCLOCK_NEW_ROOT_KEY_COMMAND"),
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

    /// A list of ranges of addresses.
    fn ranges<T: std::str::FromStr>(&self, key: &str) -> Result<Vec<T>> {
        let list = self.get(key).unwrap_or_default().split(',').map(str::trim);
        let range = |text: &str| {
            text.parse().map_err(|_| {
                anyhow::anyhow!("{key} must hold ranges such as 127.0.0.0/8 or 10.1.0.0/16")
            })
        };
        list.filter(|part| !part.is_empty()).map(range).collect()
    }

    /// The database's URL, the embedded one's when none is named.
    pub(crate) fn database_url(&self) -> String {
        let data = Path::new(self.get("data").unwrap_or(".")).to_owned();
        self.get("database").map_or_else(
            || format!("sqlite://{}", data.join("padclock.db").display()),
            str::to_owned,
        )
    }

    fn tls(&self) -> Result<Option<TlsFiles>> {
        match (self.get("tls_cert"), self.get("tls_key")) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles {
                certificate: certificate.into(),
                key: key.into(),
            })),
            (Some(_), None) => anyhow::bail!("tls_cert needs tls_key beside it"),
            (None, Some(_)) => anyhow::bail!("tls_key needs tls_cert beside it"),
        }
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

    /// Where another root key comes from, when one is given.
    pub(crate) fn new_root_key(&self, file: Option<PathBuf>) -> Option<RootKeySource> {
        let file = file.map(RootKeySource::File);
        let hex = || {
            let key = self.new_root_key.as_ref()?;
            Some(RootKeySource::Hex(key.duplicate()))
        };
        let command = || {
            self.new_root_key_command
                .clone()
                .map(RootKeySource::Command)
        };
        file.or_else(hex).or_else(command)
    }

    /// The settings, checked.
    pub(crate) fn settings(&self) -> Result<Settings> {
        let data = PathBuf::from(self.get("data").unwrap_or("."));
        Ok(Settings {
            listen: self
                .parsed::<SocketAddr>("listen", "an address and a port, such as 127.0.0.1:7464")?,
            database: self.get("database").map(str::to_owned),
            root_key: self.root_key(&data),
            bootstrap_token: self.bootstrap_token.as_ref().map(Value::duplicate),
            public_url: self.get("public_url").map(public_url).transpose()?,
            behind_proxy: self.parsed("behind_proxy", "true or false")?,
            trusted_proxies: self.ranges("trusted_proxies")?,
            tls: self.tls()?,
            egress_allow: self.ranges("egress.allow")?,
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
