//! `cronctl whoami`.

use super::Session;
use super::failure::Failure;

pub(crate) async fn run(session: &mut Session) -> Result<(), Failure> {
    let answer = session.client.whoami().await?;
    if session.output.look.json {
        return session.output.json(&answer.json);
    }
    let me = answer.it;
    session.output.record(&[
        ("user", format!("{} ({})", me.user.name, me.user.id)),
        ("role", me.role),
        (
            "workspace",
            format!("{} ({})", me.workspace.name, me.workspace.id),
        ),
        ("token", format!("{} ({})", me.token.name, me.token.id)),
        ("server", session.client.base().to_string()),
    ])
}
