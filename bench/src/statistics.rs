//! The few numbers that stand for many: medians, spreads, quantiles. Nothing here measures or prints.

/// The middle of some rounds, and how far they spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
    pub rounds: usize,
}

impl Spread {
    /// Of one value per round. Of no value, all is zero.
    pub fn of(values: &[f64]) -> Self {
        let sorted = sorted(values);
        let end = |value: Option<&f64>| value.copied().unwrap_or_default();
        Self {
            median: quantile(&sorted, 0.5),
            least: end(sorted.first()),
            most: end(sorted.last()),
            rounds: sorted.len(),
        }
    }
}

/// `ours` by `theirs`, round by round: what disturbs both at once falls out.
pub fn ratios(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter()
        .zip(theirs)
        .map(|(ours, theirs)| ours / theirs)
        .collect()
}

/// `ours` less `theirs`, round by round.
pub fn differences(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter()
        .zip(theirs)
        .map(|(ours, theirs)| ours - theirs)
        .collect()
}

/// In ascending order.
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The value below which the share `q` of `sorted` lies, between two neighbours in proportion. Of nothing: zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a position in a list of at most a few hundred thousand values"
)]
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * sorted.len().saturating_sub(1) as f64;
    let below = place.floor() as usize;
    match (sorted.get(below), sorted.get(below + 1)) {
        (Some(here), Some(next)) => here + (next - here) * place.fract(),
        (Some(here), None) => *here,
        (None, _) => 0.0,
    }
}

#[cfg(test)]
mod tests;
