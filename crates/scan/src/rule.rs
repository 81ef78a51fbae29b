//! What a rule is called, and the list of all of them. How each is checked is told where it is checked.

use crate::{address, assignment, command, header, special, vendor};

/// One kind of credential.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its stable id, such as `stripe-key`.
    pub id: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// A name for the secret that takes its place.
    pub name: &'static str,
}

impl Rule {
    pub(crate) const fn new(id: &'static str, title: &'static str, name: &'static str) -> Self {
        Self { id, title, name }
    }
}

/// Every rule there is.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    let vendors = vendor::VENDORS.iter().map(|vendor| &vendor.rule);
    let others = [
        special::RULES,
        address::RULES,
        header::RULES,
        command::RULES,
        assignment::RULES,
    ];
    vendors.chain(others.into_iter().flatten().copied())
}
