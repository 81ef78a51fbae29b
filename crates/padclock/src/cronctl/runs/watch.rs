//! `cronctl runs watch`: an execution, or all of a job, as they go. It asks again and again, less often while nothing
//! happens.

use std::collections::BTreeMap;

use clap::Args;
use padclock_api::client::{Answer, ClientError, ExecutionQuery};
use padclock_api::{Execution, ExecutionId, JobId, Status};

use super::changes::changes;
use super::pace::Pace;
use super::wait::{to_the_end, verdict};
use crate::cronctl::failure::Failure;
use crate::cronctl::{Session, find};

/// The newest executions of a job that are looked at; older ones have been seen, or ended long ago.
const LOOKED_AT: usize = 50;

/// What to follow.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The execution's id; ends with it, with 3 if it did not succeed
    #[arg(
        value_name = "RUN",
        required_unless_present = "job",
        conflicts_with = "job"
    )]
    run: Option<ExecutionId>,
    /// All executions of this job (its name or id), until interrupted
    #[arg(long)]
    job: Option<String>,
    /// With --job: end after so many have ended, with 3 if one did not succeed
    #[arg(long, value_name = "COUNT", requires = "job")]
    count: Option<usize>,
}

pub(crate) async fn run(args: Watch, session: &mut Session) -> Result<(), Failure> {
    if let Some(id) = args.run {
        let ended = to_the_end(session, id, None, &mut tell).await?;
        return verdict(ended.it.status);
    }
    let id = find::job(&session.client, args.job.as_deref().unwrap_or_default()).await?;
    job(id, args.count, session).await
}

/// The lines, or in JSON the execution as it is now, in one line.
fn tell(session: &mut Session, lines: &[String], now: &Answer<Execution>) -> Result<(), Failure> {
    if session.output.look.json {
        return session.output.json_line(&now.json);
    }
    lines.iter().try_for_each(|line| session.output.line(line))
}

/// What is known of a job's executions while it is watched.
#[derive(Default)]
struct Seen {
    runs: BTreeMap<ExecutionId, Execution>,
    ended: usize,
    all_succeeded: bool,
}

impl Seen {
    /// Whether a list's entry tells more than is known.
    fn is_news(&self, listed: &Execution) -> bool {
        self.runs.get(&listed.id).is_none_or(|known| {
            (known.status, known.attempt_count, known.next_attempt_at)
                != (listed.status, listed.attempt_count, listed.next_attempt_at)
        })
    }

    /// Takes a look in; the lines are what it tells.
    fn take(&mut self, now: Execution) -> Vec<String> {
        let lines = changes(self.runs.get(&now.id), &now);
        if now.status.is_final() {
            self.ended += 1;
            self.all_succeeded &= now.status == Status::Succeeded;
        }
        self.runs.insert(now.id, now);
        lines
    }
}

async fn job(id: JobId, count: Option<usize>, session: &mut Session) -> Result<(), Failure> {
    let query = ExecutionQuery {
        job: Some(id),
        ..ExecutionQuery::default()
    };
    let mut seen = Seen {
        all_succeeded: true,
        ..Seen::default()
    };
    // What has ended before is history, and `runs list` shows it.
    let before = session.client.executions(query, LOOKED_AT).await?;
    seen.runs.extend(
        before
            .iter()
            .filter(|run| run.it.status.is_final())
            .map(|run| (run.it.id, run.it.clone())),
    );
    let mut pace = Pace::default();
    let mut listed: Result<_, ClientError> = Ok(before);
    loop {
        let news = match listed {
            Ok(listed) => news(session, &mut seen, listed).await,
            Err(error) => Err(error.into()),
        };
        let wait = match news {
            Ok(_) if count.is_some_and(|count| seen.ended >= count) => {
                return if seen.all_succeeded {
                    Ok(())
                } else {
                    Err(Failure::RunFailed)
                };
            }
            Ok(changed) => pace.after_look(changed),
            Err(Failure::Call(error)) if error.is_passing() => pace.after_failure().ok_or(error)?,
            Err(other) => return Err(other),
        };
        tokio::time::sleep(wait).await;
        listed = session.client.executions(query, LOOKED_AT).await;
    }
}

/// Looks at those of which the list has news, oldest first, and tells it.
async fn news(
    session: &mut Session,
    seen: &mut Seen,
    listed: Vec<Answer<Execution>>,
) -> Result<bool, Failure> {
    let mut changed = false;
    for run in listed
        .into_iter()
        .rev()
        .filter(|run| seen.is_news(&run.it))
        .collect::<Vec<_>>()
    {
        let now = session.client.execution(run.it.id).await?;
        let lines = seen.take(now.it.clone());
        if !lines.is_empty() {
            tell(session, &lines, &now)?;
            changed = true;
        }
    }
    Ok(changed)
}
