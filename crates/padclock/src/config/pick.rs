//! Which of the four places a setting comes from: flag, environment, file, default, in that order.

use std::path::Path;

use super::Environment;
use super::given::{File, Flags};

/// Where a setting came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Flag,
    Environment,
    File,
    Default,
}

impl Source {
    pub(super) const fn word(self) -> &'static str {
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
pub(super) struct Entry {
    pub(super) key: &'static str,
    pub(super) value: Option<String>,
    pub(super) source: Source,
    pub(super) secret: bool,
}

/// The variable that stands for a setting.
fn variable(key: &str) -> String {
    match key {
        "database" => "PADCLOCK_DATABASE_URL".to_owned(),
        other => format!("PADCLOCK_{}", other.replace('.', "_").to_uppercase()),
    }
}

struct Picker<'e>(Environment<'e>);

impl Picker<'_> {
    fn pick(
        &self,
        key: &'static str,
        flag: Option<String>,
        file: Option<String>,
        default: Option<&str>,
    ) -> Entry {
        let set = (self.0)(&variable(key)).filter(|text| !text.is_empty());
        let (value, source) = match (flag, set, file) {
            (Some(value), _, _) => (Some(value), Source::Flag),
            (None, Some(value), _) => (Some(value), Source::Environment),
            (None, None, Some(value)) => (Some(value), Source::File),
            (None, None, None) => (default.map(str::to_owned), Source::Default),
        };
        Entry {
            key,
            value,
            source,
            // A database's URL may hold its password, and a command too.
            secret: matches!(key, "database" | "root_key_command"),
        }
    }
}

fn joined(list: Vec<String>) -> Option<String> {
    (!list.is_empty()).then(|| list.join(","))
}

fn number(number: Option<u32>) -> Option<String> {
    number.map(|number| number.to_string())
}

/// Every setting. `database` is the URL that a file named by the environment holds.
pub(super) fn entries(
    flags: &Flags,
    mut file: File,
    (env, data, database): (Environment<'_>, &Path, Option<String>),
) -> Vec<Entry> {
    let picker = Picker(env);
    let mut entries = places(&picker, flags, &mut file, (data, database));
    entries.extend(reach(&picker, flags, &mut file));
    entries.extend(work(&picker, flags, &mut file));
    entries
}

/// Where the node keeps things.
fn places(
    picker: &Picker<'_>,
    flags: &Flags,
    file: &mut File,
    (data, database): (&Path, Option<String>),
) -> Vec<Entry> {
    vec![
        picker.pick(
            "data",
            flags.data.clone(),
            file.data.take(),
            Some(&data.display().to_string()),
        ),
        picker.pick(
            "database",
            flags.database.clone().or(database),
            file.database.take(),
            None,
        ),
        picker.pick(
            "root_key_file",
            flags.root_key_file.clone(),
            file.root_key_file.take(),
            None,
        ),
        picker.pick("root_key_command", None, file.root_key_command.take(), None),
    ]
}

/// How it is reached, and what it reaches.
fn reach(picker: &Picker<'_>, flags: &Flags, file: &mut File) -> Vec<Entry> {
    vec![
        picker.pick(
            "listen",
            flags.listen.clone(),
            file.listen.take(),
            Some("127.0.0.1:7464"),
        ),
        picker.pick(
            "tls_cert",
            flags.tls_cert.clone(),
            file.tls_cert.take(),
            None,
        ),
        picker.pick("tls_key", flags.tls_key.clone(), file.tls_key.take(), None),
        picker.pick(
            "behind_proxy",
            flags.behind_proxy.then(|| "true".to_owned()),
            file.behind_proxy.map(|on| on.to_string()),
            Some("false"),
        ),
        picker.pick(
            "public_url",
            flags.public_url.clone(),
            file.public_url.take(),
            None,
        ),
        picker.pick(
            "trusted_proxies",
            joined(flags.trusted_proxy.clone()),
            joined(file.trusted_proxies.take().unwrap_or_default()),
            Some(""),
        ),
        picker.pick(
            "egress.allow",
            joined(flags.egress_allow.clone()),
            joined(file.egress.allow.take().unwrap_or_default()),
            Some(""),
        ),
        picker.pick(
            "extra_ca",
            flags.extra_ca.clone(),
            file.extra_ca.take(),
            None,
        ),
    ]
}

/// How it works, and what it keeps of it.
fn work(picker: &Picker<'_>, flags: &Flags, file: &mut File) -> Vec<Entry> {
    vec![
        picker.pick("node", flags.node.clone(), file.node.take(), None),
        picker.pick(
            "max_in_flight",
            flags.max_in_flight.clone(),
            number(file.max_in_flight),
            Some("512"),
        ),
        picker.pick(
            "per_host",
            flags.per_host.clone(),
            number(file.per_host),
            Some("64"),
        ),
        picker.pick(
            "drain_timeout",
            flags.drain_timeout.clone(),
            number(file.drain_timeout),
            Some("30"),
        ),
        picker.pick("lease_ttl", None, number(file.lease_ttl), Some("30")),
        picker.pick(
            "audit_copy",
            flags.audit_copy.clone(),
            file.audit_copy.take(),
            None,
        ),
        picker.pick(
            "history.days",
            flags.history_days.clone(),
            number(file.history.days),
            Some("30"),
        ),
        picker.pick(
            "history.per_job",
            flags.history_per_job.clone(),
            number(file.history.per_job),
            Some("1000"),
        ),
    ]
}
