//! What a person can give: the flags of `serve`, and the settings file with the same names. Nothing here decides which wins.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde::Deserialize;

use super::Environment;

/// The settings that `serve` takes on the command line.
#[derive(Debug, Default, Args)]
pub struct Flags {
    /// Read settings from this TOML file (default: padclock.toml in the data folder, if it is there).
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Listen here [default: 127.0.0.1:7464].
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<String>,
    /// Keep the embedded database, the root key and the owner's token in this folder [default: $XDG_DATA_HOME/padclock].
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<String>,
    /// Use this database: sqlite://PATH or postgres://... [default: the embedded one].
    #[arg(long, value_name = "URL")]
    pub(super) database: Option<String>,
    /// Read the root key, 64 hex digits, from this file.
    #[arg(long, value_name = "FILE")]
    pub(super) root_key_file: Option<String>,
    /// Let jobs reach this loopback or private range; may be repeated.
    #[arg(long, value_name = "CIDR")]
    pub(super) egress_allow: Vec<String>,
    /// Trust the certificates in this PEM file beside the platform's.
    #[arg(long, value_name = "FILE")]
    pub(super) extra_ca: Option<String>,
    /// TLS ends in front of this process: listening beyond loopback is all right.
    #[arg(long)]
    pub(super) behind_proxy: bool,
    /// Where people reach this server, as links to it begin [default: where it listens].
    #[arg(long, value_name = "URL")]
    pub(super) public_url: Option<String>,
    /// The node's name in executions and audit [default: the host's and something random].
    #[arg(long, value_name = "NAME")]
    pub(super) node: Option<String>,
    /// Attempts at once [default: 512].
    #[arg(long, value_name = "N")]
    pub(super) max_in_flight: Option<String>,
    /// Attempts at once at one target host [default: 64].
    #[arg(long, value_name = "N")]
    pub(super) per_host: Option<String>,
    /// How many seconds running attempts may take to finish at shutdown [default: 30].
    #[arg(long, value_name = "SECONDS")]
    pub(super) drain_timeout: Option<String>,
    /// Copy each audit record to this file as a JSON line, or to the local syslog: syslog:
    #[arg(long, value_name = "FILE|syslog:")]
    pub(super) audit_copy: Option<String>,
    /// How many days history is kept [default: 30].
    #[arg(long, value_name = "DAYS")]
    pub(super) history_days: Option<String>,
    /// How many executions per job are kept [default: 1000].
    #[arg(long, value_name = "N")]
    pub(super) history_per_job: Option<String>,
}

/// `padclock.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) listen: Option<String>,
    pub(super) data: Option<String>,
    pub(super) database: Option<String>,
    pub(super) root_key_file: Option<String>,
    pub(super) root_key_command: Option<String>,
    #[serde(default)]
    pub(super) egress: Egress,
    pub(super) extra_ca: Option<String>,
    pub(super) behind_proxy: Option<bool>,
    pub(super) public_url: Option<String>,
    pub(super) node: Option<String>,
    pub(super) max_in_flight: Option<u32>,
    pub(super) per_host: Option<u32>,
    pub(super) drain_timeout: Option<u32>,
    /// How many seconds a node may not be heard of before others take over what it runs.
    pub(super) lease_ttl: Option<u32>,
    pub(super) audit_copy: Option<String>,
    #[serde(default)]
    pub(super) history: History,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Egress {
    pub(super) allow: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct History {
    pub(super) days: Option<u32>,
    pub(super) per_job: Option<u32>,
}

/// The parser's own message shows the line that is wrong, and a database's password may stand in it: only the place is told.
pub(super) fn parse_file(text: &str) -> Result<File> {
    toml::from_str(text).map_err(|error| {
        let before = error
            .span()
            .and_then(|span| text.get(..span.start))
            .unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let what = match error.message() {
            message if message.starts_with("unknown field") => message.to_owned(),
            _ => "it can't be read as a setting".to_owned(),
        };
        anyhow::anyhow!("line {line}: {what}")
    })
}

pub(super) fn read_file(named: Option<&Path>, env: Environment<'_>, data: &Path) -> Result<File> {
    let named = named
        .map(Path::to_owned)
        .or_else(|| env("PADCLOCK_CONFIG").map(PathBuf::from));
    let path = match named {
        Some(path) => path,
        None if data.join("padclock.toml").exists() => data.join("padclock.toml"),
        None => return Ok(File::default()),
    };
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} can't be read", path.display()))?;
    parse_file(&text).with_context(|| format!("{} is not a settings file", path.display()))
}
