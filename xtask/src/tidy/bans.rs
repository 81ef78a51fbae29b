//! Words of code that must not stand in some places, and what to write there. One table; a rule is a row.

use super::Finding;
use super::source::{Source, Token};

/// Which tokens a ban looks at.
#[derive(Clone, Copy)]
enum Where {
    Everywhere,
    /// All but tests.
    Code,
    Tests,
    /// The pure crates, tests aside.
    Pure,
}

struct Ban {
    /// Tokens separated by spaces.
    pattern: &'static str,
    place: Where,
    /// Paths that begin so are excepted.
    except: &'static [&'static str],
    instead: &'static str,
}

/// Crates that take time, randomness and input as arguments.
const PURE: [&str; 6] = [
    "crates/vault/src/",
    "crates/redact/src/",
    "crates/template/src/",
    "crates/job/src/",
    "crates/scan/src/",
    "crates/import/src/",
];

/// Files in which the bytes of a secret may be read.
const EXPOSERS: &[&str] = &[
    "crates/vault/src/",
    "crates/template/src/fill.rs",
    "crates/api/src/client/disclose.rs",
    "crates/worker/src/access.rs",
    "crates/worker/src/outgoing.rs",
    "crates/server/src/bootstrap.rs",
    "crates/server/src/disclose.rs",
    "crates/padclock/src/cronctl/secrets/reveal.rs",
    "crates/server/src/root_key.rs",
    "crates/server/src/password.rs",
    "crates/server/src/set_up.rs",
    "crates/server/src/handlers/pairings.rs",
    "crates/server/src/handlers/scan/history.rs",
    "crates/padclock/src/cronctl/profile/keep.rs",
    "crates/padclock/src/cronctl/exec/inject.rs",
    "crates/padclock/src/cronctl/credential.rs",
    "fuzz/",
];

/// Crates that open connections: the worker to targets, the client halves to Padclock, the store to its database.
const CONNECTORS: &[&str] = &[
    "crates/worker/",
    "crates/api/",
    "crates/padclock/",
    "crates/store/",
    "bench/",
    "xtask/",
];

const PURE_TIME: &str =
    "a pure crate is given the time: take a `Moment` (or a number) as an argument";
const PURE_RANDOM: &str =
    "a pure crate is given its randomness: take `&mut impl Randomness` or a number as an argument";
const PURE_ENV: &str = "a pure crate is given its settings: take them as arguments";
const PURE_ASYNC: &str = "a pure crate knows no runtime: make it a function from state and input to effects, and run it in worker or server";
const NO_SLEEP: &str = "wait for the condition itself (a channel, a notification, an answer), or move the clock that the code was given";
const NO_EXPOSE: &str = "hand the `Value` on; its bytes are read only in vault, template's renderer, worker's injection and the reveal handler";
const NO_STUB: &str = "finish it, or leave it out";
const NO_CONNECT: &str = "only worker connects to a job's target: go through its guarded connector";

const fn ban(pattern: &'static str, place: Where, instead: &'static str) -> Ban {
    Ban {
        pattern,
        place,
        except: &[],
        instead,
    }
}

const BANS: &[Ban] = &[
    ban("todo !", Where::Everywhere, NO_STUB),
    ban("unimplemented !", Where::Everywhere, NO_STUB),
    ban(
        "dbg !",
        Where::Everywhere,
        "use `tracing` in code, an assertion with a message in tests",
    ),
    ban(
        "# [ ignore",
        Where::Everywhere,
        "a test that does not run proves nothing: make it run, or remove it",
    ),
    ban("sleep (", Where::Tests, NO_SLEEP),
    Ban {
        pattern: ". expose (",
        place: Where::Code,
        except: EXPOSERS,
        instead: NO_EXPOSE,
    },
    Ban {
        pattern: "Value :: expose",
        place: Where::Code,
        except: EXPOSERS,
        instead: NO_EXPOSE,
    },
    Ban {
        pattern: "TcpStream :: connect",
        place: Where::Code,
        except: CONNECTORS,
        instead: NO_CONNECT,
    },
    Ban {
        pattern: "hyper_util :: client",
        place: Where::Code,
        except: CONNECTORS,
        instead: NO_CONNECT,
    },
    ban("std :: env", Where::Pure, PURE_ENV),
    ban("env :: var", Where::Pure, PURE_ENV),
    ban("SystemTime", Where::Pure, PURE_TIME),
    ban("Instant :: now", Where::Pure, PURE_TIME),
    ban("Timestamp :: now", Where::Pure, PURE_TIME),
    ban("Zoned :: now", Where::Pure, PURE_TIME),
    ban("tokio ::", Where::Pure, PURE_ASYNC),
    ban("rand ::", Where::Pure, PURE_RANDOM),
    ban("SystemRandom", Where::Pure, PURE_RANDOM),
    ban("getrandom", Where::Pure, PURE_RANDOM),
];

/// The banned words that stand in a file.
pub fn check(source: &Source) -> Vec<Finding> {
    BANS.iter().flat_map(|ban| found(source, ban)).collect()
}

fn found(source: &Source, ban: &Ban) -> Vec<Finding> {
    if ban
        .except
        .iter()
        .any(|prefix| source.path.starts_with(prefix))
    {
        return Vec::new();
    }
    let message = format!("`{}`: {}", ban.pattern.replace(' ', ""), ban.instead);
    let tokens = source.find(ban.pattern);
    let here = tokens
        .into_iter()
        .filter(|token| looks_at(ban.place, source, token));
    here.map(|token| Finding::new(&source.path, token.line, message.clone()))
        .collect()
}

fn looks_at(place: Where, source: &Source, token: &Token) -> bool {
    match place {
        Where::Everywhere => true,
        Where::Code => !token.test,
        Where::Tests => token.test,
        Where::Pure => !token.test && PURE.iter().any(|folder| source.path.starts_with(folder)),
    }
}
