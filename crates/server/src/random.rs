//! The system's generator, behind the trait that the pure crates take, and new ids.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use padclock_api::Id;
use padclock_api::ids::Kind;
use padclock_job::Moment;
use padclock_vault::Randomness;

/// The operating system's random numbers.
#[derive(Debug, Default)]
pub(crate) struct System(SystemRandom);

impl Randomness for System {
    #[expect(
        clippy::expect_used,
        reason = "without randomness nothing may be sealed: stopping is the only safe answer"
    )]
    fn fill(&mut self, out: &mut [u8]) {
        self.0
            .fill(out)
            .expect("the operating system gives no random numbers");
    }
}

/// A new id, made at `now`.
pub(crate) fn id<K: Kind>(now: Moment) -> Id<K> {
    let mut random = [0; 10];
    System::default().fill(&mut random);
    Id::new(now.millis().max(0), random)
}

/// The time by this machine's clock: for ids and log lines. What is due goes by the database's.
pub(crate) fn wall_clock() -> Moment {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Moment::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
