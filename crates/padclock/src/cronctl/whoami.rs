//! `cronctl whoami`: whom the token stands for, and what narrows it.

use super::Session;
use super::failure::Failure;

pub(crate) async fn run(session: &mut Session) -> Result<(), Failure> {
    let answer = session.client.whoami().await?;
    if session.output.look.json {
        return session.output.json(&answer.json);
    }
    let me = answer.it;
    let token = me.token;
    let mut fields = vec![
        ("user", format!("{} ({})", me.user.name, me.user.id)),
        ("role", me.role),
        (
            "workspace",
            format!("{} ({})", me.workspace.name, me.workspace.id),
        ),
        ("token", format!("{} ({})", token.name, token.id)),
        ("server", session.client.base().to_string()),
    ];
    let narrowed = [
        (
            "permissions",
            token.permissions.map(|words| words.join(", ")),
        ),
        ("environment", token.environment),
        ("used from", token.cidrs.map(|ranges| ranges.join(", "))),
        ("expires", token.expires_at.map(|at| at.to_string())),
    ];
    let narrowed = narrowed
        .into_iter()
        .filter_map(|(label, text)| Some((label, text?)));
    fields.extend(narrowed);
    session.output.record(&fields)
}
