//! `cronctl secrets reveal`: the one command that prints a value, for it was asked to.

use padclock_api::secret::Revealed;
use serde::Serialize;
use zeroize::Zeroizing;

use super::super::failure::Failure;
use super::super::{Session, find};
use super::Which;

#[derive(Serialize)]
struct Printed<'a> {
    id: String,
    name: &'a str,
    value: &'a str,
    decrypted_at: String,
}

pub(super) async fn show(which: Which, session: &mut Session) -> Result<(), Failure> {
    let id = find::secret(&session.client, &which.secret, which.environment.as_deref()).await?;
    let revealed = session.client.reveal_secret(id).await?;
    if session.output.look.terminal {
        session.output.warning(
            "the value stays in this terminal's scrollback; `cronctl exec` gives it to a command without showing it",
        );
    }
    print(&revealed, session)
}

/// The value byte for byte where a program reads it. A person gets a line, in which nothing steers the terminal.
fn print(revealed: &Revealed, session: &mut Session) -> Result<(), Failure> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this command prints the value to the person or program that asked for it"
    )]
    let bytes = revealed.value.0.expose();
    let unreadable = || Failure::Error("the value that was answered is no text".to_owned());
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable())?;
    if session.output.look.json {
        let printed = Printed {
            id: revealed.id.to_string(),
            name: &revealed.name,
            value: text,
            decrypted_at: revealed.decrypted_at.to_string(),
        };
        let mut json = Zeroizing::new(Vec::with_capacity(6 * text.len() + 1_024));
        serde_json::to_writer_pretty(&mut *json, &printed).map_err(|_| unreadable())?;
        json.push(b'\n');
        let json = std::str::from_utf8(&json).map_err(|_| unreadable())?;
        return session.output.text(json);
    }
    if session.output.look.terminal {
        session.output.line(text)
    } else {
        session.output.text(text)
    }
}
