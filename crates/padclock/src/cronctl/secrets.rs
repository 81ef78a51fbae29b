//! `cronctl secrets`: names and what is known about them; values go in, and `reveal` alone brings one out.

mod reveal;
mod usage;
mod versions;

use clap::{Args, Subcommand};
use padclock_api::client::{Answer, NewSecret, SecretChange};
use padclock_api::secret::{Reveal, Scope, Secret};
use padclock_vault::EgressPolicy;
use serde_json::json;

use super::failure::Failure;
use super::value_input::ValueArgs;
use super::{Session, find, shown};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the secrets
    List {
        /// Only those whose new value is due
        #[arg(long)]
        due: bool,
    },
    /// Store a new secret
    Create(Box<Create>),
    /// Show what is known about a secret; its value is never shown
    Show(Which),
    /// Give a secret a new value, as its next version
    Replace(Replace),
    /// Change what is known about a secret
    Update(Update),
    /// Delete a secret
    Delete(Which),
    /// List the versions that are kept: the current one and the one before it
    Versions(Which),
    /// Go back to the value before the current one, as a new version
    Rollback(Which),
    /// Remove the value before the current one, for good
    RetirePrevious(Which),
    /// Show which jobs use a secret, and when it was used last
    Usage(Which),
    /// Print a secret's value; it needs the permission secrets:reveal, and is recorded
    Reveal(Which),
    /// Bind a secret to where its present jobs send it
    Bind(super::policy::Bind),
    /// Change where a secret may be sent
    Policy(Box<super::policy::Change>),
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The secret's name or id
    #[arg(value_name = "SECRET")]
    pub(super) secret: String,
    /// The environment, where several have a secret of that name
    #[arg(long, value_name = "NAME")]
    pub(super) environment: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// How jobs name it: letters, digits, dots, dashes and underscores
    #[arg(long)]
    name: String,
    #[command(flatten)]
    value: ValueArgs,
    /// The environment it serves [default: all]
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Keep it to yourself: your own jobs alone may name it
    #[arg(long)]
    private: bool,
    /// What it is, for people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// End it after so many seconds
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u64>,
    /// Let no one ever read it back
    #[arg(long)]
    never_reveal: bool,
    /// Allow a value under 4 bytes, which can't be masked
    #[arg(long)]
    unmaskable: bool,
    /// Remind of a new value after so many days
    #[arg(long, value_name = "DAYS")]
    rotate_every_days: Option<u32>,
    #[command(flatten)]
    egress: EgressArgs,
}

/// Where the secret may be sent. Each may be given several times, or with commas; what is left out is not restricted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where it may be sent (several: repeat, or use commas)")]
pub(super) struct EgressArgs {
    /// Hosts: api.example.com, or *.example.com for all below it
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    egress_host: Vec<String>,
    /// Schemes: https, http
    #[arg(long, value_name = "SCHEME", value_delimiter = ',')]
    egress_scheme: Vec<String>,
    /// Ports
    #[arg(long, value_name = "PORT", value_delimiter = ',')]
    egress_port: Vec<u16>,
    /// Methods
    #[arg(long, value_name = "METHOD", value_delimiter = ',')]
    egress_method: Vec<String>,
    /// Beginnings of the path
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    egress_path: Vec<String>,
    /// Places in the request: url, query, header, body, auth
    #[arg(long, value_name = "PLACE", value_delimiter = ',', value_parser = place)]
    egress_place: Vec<padclock_vault::Place>,
}

fn place(word: &str) -> Result<padclock_vault::Place, String> {
    serde_json::from_value(json!(word))
        .map_err(|_| "expected url, query, header, body or auth".to_owned())
}

impl EgressArgs {
    pub(super) fn policy(self) -> Option<EgressPolicy> {
        let policy = EgressPolicy {
            hosts: self.egress_host,
            schemes: self.egress_scheme,
            ports: self.egress_port,
            methods: self.egress_method,
            path_prefixes: self.egress_path,
            places: self.egress_place,
            agents: Vec::new(),
        };
        (policy != EgressPolicy::default()).then_some(policy)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Replace {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    value: ValueArgs,
    /// Allow a value under 4 bytes, which can't be masked
    #[arg(long)]
    unmaskable: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    /// The secret's name or id
    #[arg(value_name = "SECRET")]
    secret: String,
    /// The environment, where several have a secret of that name
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// What it is, for people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Remove the description
    #[arg(long, conflicts_with = "description")]
    no_description: bool,
    /// Remind of a new value after so many days
    #[arg(long, value_name = "DAYS")]
    rotate_every_days: Option<u32>,
    /// Remind of no new value
    #[arg(long, conflicts_with = "rotate_every_days")]
    no_rotation: bool,
}

pub(crate) async fn run(command: Command, session: &mut Session) -> Result<(), Failure> {
    match command {
        Command::List { due: false } => list(session).await,
        Command::List { due: true } => list_due(session).await,
        Command::Create(create_args) => create(*create_args, session).await,
        Command::Show(which) => show(which, session).await,
        Command::Replace(args) => replace(args, session).await,
        Command::Update(args) => update(args, session).await,
        Command::Delete(which) => delete(which, session).await,
        Command::Versions(which) => versions::list(which, session).await,
        Command::Rollback(which) => versions::roll_back(which, session).await,
        Command::RetirePrevious(which) => versions::retire(which, session).await,
        Command::Usage(which) => usage::show(which, session).await,
        Command::Reveal(which) => reveal::show(which, session).await,
        Command::Bind(args) => super::policy::bind(args, session).await,
        Command::Policy(args) => super::policy::change(*args, session).await,
    }
}

const HEADING: [&str; 7] = [
    "NAME",
    "ID",
    "ENVIRONMENT",
    "SCOPE",
    "VERSION",
    "MAY GO TO",
    "CREATED",
];

async fn list(session: &mut Session) -> Result<(), Failure> {
    let secrets = session.client.secrets().await?;
    if session.output.look.json {
        return session.output.json(
            &json!({ "items": secrets.into_iter().map(|secret| secret.json).collect::<Vec<_>>() }),
        );
    }
    if secrets.is_empty() {
        session
            .output
            .note("There are no secrets yet; `cronctl secrets create --name NAME` stores one.");
    }
    let row = |secret: Secret| {
        let egress = shown::egress(secret.egress.as_ref());
        let version = secret.version.to_string();
        vec![
            secret.name,
            secret.id.to_string(),
            secret.environment,
            scope(secret.scope),
            version,
            egress,
            secret.created_at.to_string(),
        ]
    };
    session.output.table(
        &HEADING,
        secrets.into_iter().map(|answer| row(answer.it)).collect(),
    )
}

async fn list_due(session: &mut Session) -> Result<(), Failure> {
    let secrets = session.client.due_secrets().await?;
    if session.output.look.json {
        let items: Vec<_> = secrets.into_iter().map(|secret| secret.json).collect();
        return session.output.json(&json!({ "items": items }));
    }
    if secrets.is_empty() {
        session.output.note("No secret's new value is due.");
    }
    let row = |secret: Secret| {
        vec![
            secret.name,
            secret.id.to_string(),
            shown::moment(secret.rotated_at),
            secret.overdue_days.unwrap_or_default().to_string(),
        ]
    };
    session.output.table(
        &["NAME", "ID", "LAST CHANGED", "DAYS OVERDUE"],
        secrets.into_iter().map(|answer| row(answer.it)).collect(),
    )
}

async fn create(args: Create, session: &mut Session) -> Result<(), Failure> {
    let value = args
        .value
        .read(session.keyboard.as_mut(), &mut session.output)?;
    let new = NewSecret {
        name: args.name,
        environment: args.environment,
        scope: args.private.then_some(Scope::User),
        description: args.description,
        egress: args.egress.policy(),
        ttl: args.ttl,
        reveal: args.never_reveal.then_some(Reveal::Never),
        unmaskable: args.unmaskable,
        rotate_every_days: args.rotate_every_days,
    };
    let answer = session.client.create_secret(&new, &value).await?;
    told(session, &answer, "stored")
}

async fn show(which: Which, session: &mut Session) -> Result<(), Failure> {
    let id = find::secret(&session.client, &which.secret, which.environment.as_deref()).await?;
    let answer = session.client.secret(id).await?;
    if session.output.look.json {
        return record(session, &answer);
    }
    let usage = usage::summary(id, session).await?;
    record_with(session, &answer, usage)
}

async fn replace(args: Replace, session: &mut Session) -> Result<(), Failure> {
    let id = find::secret(
        &session.client,
        &args.which.secret,
        args.which.environment.as_deref(),
    )
    .await?;
    // Read before the value is asked for: a secret that someone else replaces meanwhile is not overwritten unseen.
    let etag = session.client.secret(id).await?.etag;
    let value = args
        .value
        .read(session.keyboard.as_mut(), &mut session.output)?;
    let answer = session
        .client
        .replace_secret(id, &value, args.unmaskable, etag.as_deref())
        .await?;
    told(session, &answer, "replaced; the version before it is kept")
}

async fn update(args: Update, session: &mut Session) -> Result<(), Failure> {
    let change = SecretChange {
        description: change_of(args.description, args.no_description),
        rotate_every_days: change_of(args.rotate_every_days, args.no_rotation),
    };
    if change == SecretChange::default() {
        return Err(Failure::Usage("nothing to change is named; see --help for the options (a new value is `secrets replace`)".to_owned()));
    }
    let id = find::secret(&session.client, &args.secret, args.environment.as_deref()).await?;
    let answer = session.client.change_secret(id, &change).await?;
    told(session, &answer, "updated")
}

/// `Some(None)`: remove it.
fn change_of<T>(new: Option<T>, remove: bool) -> Option<Option<T>> {
    if remove { Some(None) } else { new.map(Some) }
}

async fn delete(which: Which, session: &mut Session) -> Result<(), Failure> {
    let id = find::secret(&session.client, &which.secret, which.environment.as_deref()).await?;
    if session.asks() {
        let users = usage::users(id, session).await?;
        let question = format!("Delete the secret {}? {users}", which.secret);
        session.confirm(&question)?;
    }
    session.client.delete_secret(id).await?;
    session.deleted("secret", &which.secret, &id.to_string())
}

/// The record after a change, with a word on what happened.
pub(super) fn told(
    session: &mut Session,
    answer: &Answer<Secret>,
    what: &str,
) -> Result<(), Failure> {
    session
        .output
        .note(&format!("The secret {} is {what}.", answer.it.name));
    record(session, answer)
}

fn record(session: &mut Session, answer: &Answer<Secret>) -> Result<(), Failure> {
    record_with(session, answer, Vec::new())
}

fn record_with(
    session: &mut Session,
    answer: &Answer<Secret>,
    more: Vec<(&str, String)>,
) -> Result<(), Failure> {
    for warning in &answer.it.warnings {
        session.output.warning(warning);
    }
    if session.output.look.json {
        return session.output.json(&answer.json);
    }
    let secret = answer.it.clone();
    let mut fields = vec![
        ("name", secret.name),
        ("id", secret.id.to_string()),
        ("environment", secret.environment),
        ("scope", scope(secret.scope)),
        ("version", secret.version.to_string()),
        ("may go to", shown::egress(secret.egress.as_ref())),
        ("key version", secret.key_version),
        ("created", secret.created_at.to_string()),
        ("updated", secret.updated_at.to_string()),
    ];
    let optional = [
        ("description", secret.description),
        ("expires", secret.expires_at.map(|at| at.to_string())),
        (
            "new value due",
            secret
                .rotate_every_days
                .map(|days| format!("every {days} days")),
        ),
        (
            "read back",
            (secret.reveal == Reveal::Never).then(|| "never".to_owned()),
        ),
        (
            "masked",
            secret
                .unmaskable
                .then(|| "no: the value is too short".to_owned()),
        ),
    ];
    fields.extend(
        optional
            .into_iter()
            .filter_map(|(label, text)| Some((label, text?))),
    );
    fields.extend(more);
    session.output.record(&fields)
}

fn scope(scope: Scope) -> String {
    match scope {
        Scope::Workspace => "workspace",
        Scope::User => "user",
    }
    .to_owned()
}
