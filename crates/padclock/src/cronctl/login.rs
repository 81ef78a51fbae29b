//! `cronctl login` and `logout`: how a command line comes to its token, and gives it up.

use std::time::{Duration, Instant};

use clap::Args;
use padclock_api::ErrorCode;
use padclock_api::client::{BadUrl, BaseUrl, Client, ClientError};
use padclock_vault::Value;

use super::failure::Failure;
use super::keyboard::Keyboard;
use super::output::Output;
use super::profile::{self, Profile, Profiles, keep};

/// The longest token that is taken from a pipe.
const LONGEST: usize = 4_096;

/// Sign in.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// Take the token from a hidden prompt or standard input, instead of asking in the browser
    #[arg(long)]
    token: bool,
    /// Keep the token in a file of mode 0600, also where there is a keyring
    #[arg(long)]
    no_keyring: bool,
}

/// Whom a command speaks to: the server, and the profile's name.
pub(crate) struct To<'a> {
    pub(crate) base: BaseUrl,
    pub(crate) profile: &'a str,
}

pub(crate) async fn login(
    to: To<'_>,
    options: &Login,
    keyboard: &mut dyn Keyboard,
    output: &mut Output,
) -> Result<(), Failure> {
    let name = profile::checked(to.profile)?;
    let token = if options.token {
        given(keyboard)?
    } else {
        paired(&to.base, output).await?
    };
    let client = Client::new(to.base.clone(), &token)
        .map_err(|_| Failure::NoToken("what was given is no token".to_owned()))?;
    let me = client.whoami().await?;
    let mut profiles = Profiles::read()?;
    let kept = keep::put(profiles.folder(), name, &token, !options.no_keyring)?;
    let profile = Profile {
        url: to.base.to_string(),
        token: kept,
    };
    profiles.profiles.insert(name.to_owned(), profile);
    profiles.write()?;
    let place = match kept {
        profile::Kept::Keyring => "the system's keyring",
        profile::Kept::File => "a file that only you can read",
    };
    output.note(&format!(
        "Signed in to {} as {} ({}), workspace {}. The token is kept in {place}.",
        to.base, me.it.user.name, me.it.role, me.it.workspace.name
    ));
    if output.look.json {
        return output.json(&me.json);
    }
    Ok(())
}

fn given(keyboard: &mut dyn Keyboard) -> Result<Value, Failure> {
    let unread = |error: std::io::Error| Failure::unread("the token", &error);
    let token = if keyboard.is_terminal() {
        keyboard.hidden("Token (not shown): ").map_err(unread)?
    } else {
        let mut bytes = keyboard.piped(LONGEST).map_err(unread)?;
        bytes.truncate(bytes.trim_ascii_end().len());
        Value::new(bytes)
    };
    if token.is_empty() {
        return Err(Failure::NoToken("no token was given".to_owned()));
    }
    Ok(token)
}

/// What the person who confirms is shown.
fn own_name() -> String {
    let user = std::env::var("USER").unwrap_or_default();
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    match user.as_str() {
        "" => format!("cronctl on {host}"),
        user => format!("cronctl of {user} on {host}"),
    }
    .chars()
    .filter(|sign| !sign.is_control())
    .take(128)
    .collect()
}

/// Shows a code, and waits until somebody who is signed in has confirmed it.
async fn paired(base: &BaseUrl, output: &mut Output) -> Result<Value, Failure> {
    let asking = Client::anonymous(base.clone())?;
    let pairing = asking.create_pairing(&own_name()).await?.it;
    output.note("Open this page, sign in, and confirm this code:");
    output.note(&format!("  {}", pairing.verify_url));
    output.note(&format!("  {}", pairing.code));
    let key = Value::new(pairing.key);
    let end = Instant::now() + Duration::from_secs(pairing.expires_in.into());
    let pause = Duration::from_secs(pairing.interval.clamp(1, 60).into());
    while Instant::now() < end {
        if let Some(token) = Client::fetch_token(base.clone(), &key).await? {
            return Ok(token);
        }
        tokio::time::sleep(pause).await;
    }
    Err(Failure::NoToken(
        "nobody has confirmed the code in time: run cronctl login again".to_owned(),
    ))
}

/// Sign out.
#[derive(Debug, Args)]
pub(crate) struct Logout {
    /// Leave the token as it is on the server: forget it here alone
    #[arg(long)]
    keep_token: bool,
}

/// Ends a profile's token on its server, and forgets both here, whatever the server says.
pub(crate) async fn logout(
    name: &str,
    options: &Logout,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut profiles = Profiles::read()?;
    let Some(profile) = profiles.profiles.remove(name) else {
        return Err(Failure::Error(format!("there is no profile {name}")));
    };
    let told = if options.keep_token {
        Ok("its token still works for whoever has it: cronctl tokens revoke ends it")
    } else {
        let ended = end_token(&profiles, name, &profile).await;
        ended.map(|()| "its token is ended")
    };
    keep::remove(profiles.folder(), name, profile.token);
    profiles.write()?;
    let forgotten = format!("The profile {name} is forgotten here");
    match told {
        Ok(told) => output.note(&format!("{forgotten}, and {told}.")),
        Err(why) => {
            output.note(&format!("{forgotten}, with its token."));
            output.warning(&format!(
                "the token could not be ended on {}: {why}. It still works for whoever has it: cronctl tokens revoke, or ask an admin",
                profile.url
            ));
        }
    }
    Ok(())
}

/// Ends the token where it was made. One that has ended already is no failure.
async fn end_token(profiles: &Profiles, name: &str, profile: &Profile) -> Result<(), String> {
    let token = keep::get(profiles.folder(), name, profile.token)
        .map_err(|_| "it can't be read here".to_owned())?;
    let base: BaseUrl = profile.url.parse().map_err(|bad: BadUrl| bad.to_string())?;
    let client = Client::new(base, &token).map_err(|error| error.to_string())?;
    match client.revoke_own_token().await {
        Err(ClientError::Refused(body)) if body.code == ErrorCode::Unauthorized => Ok(()),
        ended => ended.map_err(|error| error.to_string()),
    }
}
