//! `cronctl exec`: runs a command of this machine with secrets in its environment, and nowhere else, and with its output redacted.
//! Which secrets go where is decided here; `inject` puts them there, `child` looks after the process.

mod child;
mod choose;
mod inject;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;

use clap::Args;
use padclock_api::client::ClientError;
use padclock_api::secret::{Reveal, Secret};
use padclock_api::{ErrorCode, SecretId};
use padclock_import::dotenv;
use zeroize::Zeroizing;

use super::Session;
use super::failure::Failure;
use super::keyboard::read_at_most;
use choose::{Whose, choose};

/// The largest file of variables.
const LARGEST: usize = 1024 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// A secret, put into the variable of its name in capitals, or into VAR (several: repeat)
    #[arg(long, short, value_name = "NAME[=VAR]")]
    secret: Vec<String>,
    /// A file of variables, NAME=value; where the value is secret://name or {{secret.NAME}}, the secret's stands there
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// Every secret of the workspace that serves the environment and may be read back
    #[arg(long)]
    all: bool,
    /// The environment whose secrets come first
    #[arg(long, value_name = "NAME", default_value = "production")]
    environment: String,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// A variable and the secret that fills it.
struct Wanted {
    variable: String,
    secret: Secret,
}

/// What the command is given.
#[derive(Default)]
struct Plan {
    wanted: Vec<Wanted>,
    /// Variables that hold no secret.
    plain: BTreeMap<String, Zeroizing<String>>,
}

pub(crate) async fn run(exec: Exec, session: &mut Session) -> Result<(), Failure> {
    let plan = plan(&exec, session).await?;
    let mut values = inject::Values::default();
    let mut read: BTreeMap<SecretId, usize> = BTreeMap::new();
    for wanted in plan.wanted {
        let Secret {
            id,
            name,
            unmaskable,
            ..
        } = &wanted.secret;
        let index = match read.get(id) {
            Some(index) => *index,
            None => {
                let revealed = session.client.reveal_secret(*id).await;
                let revealed = revealed.map_err(|error| refused(name, error))?;
                if *unmaskable {
                    session.output.warning(&format!(
                        "{name} is too short to be masked: it shows where the command prints it"
                    ));
                }
                let index = values.add(name, revealed.value.0)?;
                read.insert(*id, index);
                index
            }
        };
        values.name(wanted.variable, index);
    }
    child::run(&exec.command, &plan.plain, values).await
}

/// All that may be said no to is looked at before the first value is asked for.
async fn plan(exec: &Exec, session: &Session) -> Result<Plan, Failure> {
    let mut plan = Plan::default();
    if exec.secret.is_empty() && exec.env_file.is_empty() && !exec.all {
        return Err(Failure::Usage(
            "no secret is named: give --secret NAME, --env-file FILE or --all".to_owned(),
        ));
    }
    let secrets: Vec<Secret> = session
        .client
        .secrets()
        .await?
        .into_iter()
        .map(|answer| answer.it)
        .collect();
    let find = |name: &str, whose| {
        let found = choose(&secrets, name, &exec.environment, whose);
        found.cloned().ok_or_else(|| {
            Failure::Error(format!(
                "there is no secret {name:?} that serves the environment {}",
                exec.environment
            ))
        })
    };
    for given in &exec.secret {
        let (name, variable) = match given.split_once('=') {
            Some((name, variable)) => (name, variable.to_owned()),
            None => (given.as_str(), choose::variable_of(given)),
        };
        want(&mut plan, variable, find(name, Whose::Anyones)?)?;
    }
    for path in &exec.env_file {
        for (name, value) in variables(path)? {
            match dotenv::reference(&value) {
                Some(secret) => {
                    // As in a job: `secret://` looks at the workspace's alone (the references contract).
                    let whose = if value.starts_with("secret://") {
                        Whose::Workspaces
                    } else {
                        Whose::Anyones
                    };
                    let secret = find(secret, whose)?;
                    want(&mut plan, name, secret)?;
                }
                None => set(&mut plan, name, value)?,
            }
        }
    }
    if exec.all {
        for secret in choose::all(&secrets, &exec.environment) {
            let variable = choose::variable_of(&secret.name);
            let named = plan
                .wanted
                .iter()
                .any(|wanted| wanted.secret.name == secret.name);
            if !named && secret.reveal == Reveal::Allowed {
                // These names are others' choice, and some variables are commands to the shell, the loader, or an interpreter.
                if steers(&variable) || std::env::var_os(&variable).is_some() {
                    return Err(Failure::Refused(format!(
                        "{variable} would change how commands run, or what is set here already: name what you want by --secret {}=VAR instead of --all",
                        secret.name
                    )));
                }
                want(&mut plan, variable, secret.clone())?;
            }
        }
    }
    Ok(plan)
}

/// Whether a variable of this name can make programs run something else, or elsewhere.
fn steers(variable: &str) -> bool {
    const NAMES: &[&str] = &[
        "PATH",
        "IFS",
        "HOME",
        "SHELL",
        "ENV",
        "BASH_ENV",
        "CDPATH",
        "EDITOR",
        "VISUAL",
        "PAGER",
        "BROWSER",
        "MANPAGER",
        "LESSOPEN",
        "LESSCLOSE",
        "PROMPT_COMMAND",
        "PS1",
        "PS4",
        "TMPDIR",
        "USER",
        "LOGNAME",
        "TERM",
        "JAVA_TOOL_OPTIONS",
        "CLASSPATH",
        "GCONV_PATH",
        "HOSTALIASES",
        "LOCPATH",
        "NLSPATH",
        "RES_OPTIONS",
        "ZDOTDIR",
        "SSH_ASKPASS",
        "SUDO_ASKPASS",
    ];
    const BEGINNINGS: &[&str] = &[
        "LD_", "DYLD_", "GLIBC_", "MALLOC_", "BASH_", "GIT_", "PYTHON", "PERL", "RUBY", "NODE_",
        "NPM_", "_JAVA", "JDK_", "XDG_", "SSL_", "CURL_", "LUA_", "PHP", "GO", "CARGO_", "RUST",
        "DOCKER_", "KUBE", "COMPOSE_", "LC_",
    ];
    let upper = variable.to_ascii_uppercase();
    NAMES.contains(&upper.as_str())
        || BEGINNINGS
            .iter()
            .any(|beginning| upper.starts_with(beginning))
        || upper.ends_with("_PROXY")
}

fn want(plan: &mut Plan, variable: String, secret: Secret) -> Result<(), Failure> {
    check_variable(plan, &variable)?;
    if secret.reveal == Reveal::Never {
        return Err(Failure::Refused(format!(
            "{} was made never to be read back: it can be used in jobs, and nowhere else",
            secret.name
        )));
    }
    plan.wanted.push(Wanted { variable, secret });
    Ok(())
}

fn set(plan: &mut Plan, name: String, value: Zeroizing<String>) -> Result<(), Failure> {
    check_variable(plan, &name)?;
    if value.contains('\0') {
        return Err(Failure::Usage(format!(
            "the variable {name} holds a NUL, which no environment can"
        )));
    }
    plan.plain.insert(name, value);
    Ok(())
}

fn check_variable(plan: &Plan, name: &str) -> Result<(), Failure> {
    if !choose::is_variable(name) {
        return Err(Failure::Usage(
            "a variable's name has letters, digits and underscores, and begins with no digit: give one by --secret NAME=VAR".to_owned(),
        ));
    }
    if child::is_own(name) {
        return Err(Failure::Usage(format!(
            "{name} is cronctl's own and is never given on: choose another variable"
        )));
    }
    if plan.plain.contains_key(name) || plan.wanted.iter().any(|wanted| wanted.variable == *name) {
        return Err(Failure::Usage(format!(
            "{name} would be set twice: choose another variable by --secret NAME=VAR"
        )));
    }
    Ok(())
}

fn variables(path: &PathBuf) -> Result<Vec<(String, Zeroizing<String>)>, Failure> {
    let shown = path.display();
    let read = File::open(path).and_then(|mut file| read_at_most(&mut file, LARGEST + 1));
    let bytes = Zeroizing::new(read.map_err(|error| Failure::unread(&shown.to_string(), &error))?);
    if bytes.len() > LARGEST {
        return Err(Failure::Usage(format!(
            "{shown} has more than {LARGEST} bytes"
        )));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::Usage(format!("{shown} is not UTF-8 text")))?;
    let (entries, strange) = dotenv::entries(text);
    if let Some(line) = strange.first() {
        return Err(Failure::Usage(format!(
            "{shown}, line {line}: it is not NAME=value"
        )));
    }
    let mut found: Vec<(String, Zeroizing<String>)> = Vec::new();
    for entry in entries {
        let value = entry
            .value
            .map_err(|why| Failure::Usage(format!("{shown}, line {}: {why}", entry.line)))?;
        // The last one wins, as when a shell reads the file.
        found.retain(|(name, _)| *name != entry.name);
        found.push((entry.name, value));
    }
    Ok(found)
}

/// A refusal with the name of the secret in front.
fn refused(name: &str, error: ClientError) -> Failure {
    match error {
        ClientError::Refused(body) if body.code == ErrorCode::Forbidden => {
            Failure::Refused(format!("{name} can't be read: {}", body.message))
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::steers;

    #[test]
    fn variables_that_make_programs_run_something_else_are_known() {
        let steering = [
            "BASH_ENV",
            "ENV",
            "PATH",
            "LD_PRELOAD",
            "DYLD_INSERT_LIBRARIES",
            "NODE_OPTIONS",
            "GIT_SSH_COMMAND",
            "PYTHONSTARTUP",
            "https_proxy",
            "PROMPT_COMMAND",
        ];
        for name in steering {
            assert!(steers(name), "{name}");
        }
        for name in ["STRIPE_KEY", "DATABASE_URL", "API_TOKEN", "PROXY_TOKEN"] {
            assert!(!steers(name), "{name}");
        }
    }
}
