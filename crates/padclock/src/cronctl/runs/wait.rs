//! Waiting for one execution to end, with a word on each thing that happens to it.

use clap::Args;
use padclock_api::client::Answer;
use padclock_api::{Execution, ExecutionId, Status};

use super::changes::changes;
use super::pace::Pace;
use crate::cronctl::Session;
use crate::cronctl::failure::Failure;

/// Is given what has changed, in lines, and the execution as it is now.
pub(super) type Teller<'a> =
    dyn FnMut(&mut Session, &[String], &Answer<Execution>) -> Result<(), Failure> + 'a;

/// Whether to wait for what was started.
#[derive(Debug, Args)]
pub(crate) struct Wait {
    /// Wait until it has ended; exit with 3 if it did not succeed
    #[arg(long)]
    wait: bool,
}

/// Tells what was started and, if asked to, waits for its end.
pub(crate) async fn started(
    session: &mut Session,
    answer: Answer<Execution>,
    wait: &Wait,
) -> Result<(), Failure> {
    if !wait.wait {
        session
            .output
            .note("It is started; `cronctl runs watch` follows it.");
        return super::record(session, &answer, false);
    }
    let json = session.output.look.json;
    let id = answer.it.id;
    if !json {
        for line in changes(None, &answer.it) {
            session.output.note(&line);
        }
    }
    // Progress, not data: that is the record at the end.
    let mut progress = |session: &mut Session, lines: &[String], _: &Answer<Execution>| {
        if !json {
            lines.iter().for_each(|line| session.output.note(line));
        }
        Ok(())
    };
    let ended = to_the_end(session, id, Some(answer), &mut progress).await?;
    super::record(session, &ended, false)?;
    verdict(ended.it.status)
}

/// Follows an execution to its end, and gives each change to `tell`.
pub(super) async fn to_the_end(
    session: &mut Session,
    id: ExecutionId,
    mut known: Option<Answer<Execution>>,
    tell: &mut Teller<'_>,
) -> Result<Answer<Execution>, Failure> {
    let mut pace = Pace::default();
    loop {
        let etag = known.as_ref().and_then(|known| known.etag.clone());
        let wait = match session.client.execution_since(id, etag.as_deref()).await {
            Ok(Some(now)) => {
                let lines = changes(known.as_ref().map(|known| &known.it), &now.it);
                if !lines.is_empty() {
                    tell(session, &lines, &now)?;
                }
                if now.it.status.is_final() {
                    return Ok(now);
                }
                known = Some(now);
                pace.after_look(!lines.is_empty())
            }
            Ok(None) => pace.after_look(false),
            // The first look tells whether there is anything to follow; later a server may be away for a moment.
            Err(error) if error.is_passing() && known.is_some() => {
                pace.after_failure().ok_or(error)?
            }
            Err(error) => return Err(error.into()),
        };
        tokio::time::sleep(wait).await;
    }
}

/// Whether an execution that has ended is a success for the exit code.
pub(super) fn verdict(status: Status) -> Result<(), Failure> {
    if status == Status::Succeeded {
        Ok(())
    } else {
        Err(Failure::RunFailed)
    }
}
