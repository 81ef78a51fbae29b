//! `cronctl secrets bind` and `cronctl secrets policy`: where a secret may be sent, changed with its value or by a second admin.

use clap::Args;
use padclock_vault::EgressPolicy;

use super::failure::Failure;
use super::secrets::{EgressArgs, Which, told};
use super::value_input::ValueArgs;
use super::{Session, find, shown};

#[derive(Debug, Args)]
pub(crate) struct Bind {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
    /// Let it be sent anywhere
    #[arg(long)]
    anywhere: bool,
    #[command(flatten)]
    egress: EgressArgs,
}

#[derive(Debug, Args)]
struct How {
    #[command(flatten)]
    value: ValueArgs,
    /// Give no value: ask for the policy, and let a second admin approve
    #[arg(long, conflicts_with_all = ["value", "from_file", "stdin"])]
    request: bool,
    /// Allow a value under 4 bytes, which can't be masked
    #[arg(long)]
    unmaskable: bool,
}

/// Proposes the policy that the present jobs need, shows it, and applies it.
pub(crate) async fn bind(args: Bind, session: &mut Session) -> Result<(), Failure> {
    let Which {
        secret,
        environment,
    } = &args.which;
    let id = find::secret(&session.client, secret, environment.as_deref()).await?;
    let proposed = session.client.proposed_policy(id).await?.it;
    for warning in &proposed.warnings {
        session.output.warning(warning);
    }
    let Some(policy) = proposed.egress else {
        return Err(Failure::Error(format!(
            "no policy can be made for {secret}; name one: cronctl secrets policy {secret} --egress-host HOST"
        )));
    };
    let names: Vec<&str> = proposed.jobs.iter().map(|job| job.name.as_str()).collect();
    session.output.note(&format!(
        "Its jobs ({}) need: {}",
        names.join(", "),
        shown::egress(Some(&policy))
    ));
    session.confirm(&format!("Let {secret} be sent there only?"))?;
    apply(args.how, (id, Some(policy)), session).await
}

/// Gives a secret the policy that is named.
pub(crate) async fn change(args: Change, session: &mut Session) -> Result<(), Failure> {
    let policy = args.egress.policy();
    if policy.is_some() == args.anywhere {
        return Err(Failure::Usage(
            "say where it may be sent: --egress-host and the like, or --anywhere".to_owned(),
        ));
    }
    let Which {
        secret,
        environment,
    } = &args.which;
    let id = find::secret(&session.client, secret, environment.as_deref()).await?;
    apply(args.how, (id, policy), session).await
}

async fn apply(
    how: How,
    (id, policy): (padclock_api::SecretId, Option<EgressPolicy>),
    session: &mut Session,
) -> Result<(), Failure> {
    if how.request {
        let asked = session.client.request_policy(id, policy).await?;
        session.output.note(&format!(
            "Asked for; another admin approves it until {}: cronctl approvals approve {}",
            asked.it.expires_at, asked.it.id
        ));
        return super::approvals::record(session, &asked);
    }
    // Read before the value is asked for: a secret that someone else changes meanwhile is not overwritten unseen.
    let etag = session.client.secret(id).await?.etag;
    session
        .output
        .note("A policy changes together with the value (or with --request, by a second admin).");
    let value = how
        .value
        .read(session.keyboard.as_mut(), &mut session.output)?;
    let with = (how.unmaskable, etag.as_deref());
    let answer = session
        .client
        .bind_secret(id, &value, policy.as_ref(), with)
        .await?;
    told(session, &answer, "bound; no version before it is kept")
}
