//! What the process does before anything else, so that no value leaves it by way of the operating system.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Turns core dumps off and forbids other processes of the same user to look into this one's memory.
///
/// # Errors
/// The operating system's, when it forbids that: the caller then does not go on.
pub(crate) fn seclude() -> std::io::Result<()> {
    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}
