//! Classes of IP addresses and which of them may be connected to (security contract, Egress). Pure; names are
//! resolved elsewhere.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// What an address is for (IANA special-purpose registries).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressClass {
    /// Anyone's, on the internet.
    Public,
    /// This machine.
    Loopback,
    /// A private network: RFC 1918, unique local, carrier-grade NAT, site-local, benchmarking.
    Private,
    /// The link it is on.
    LinkLocal,
    /// A cloud's metadata service.
    Metadata,
    /// A group.
    Multicast,
    /// No address.
    Unspecified,
    /// Everyone on the link.
    Broadcast,
    /// Kept by IANA: documentation, protocols, the future.
    Reserved,
}

impl AddressClass {
    /// The class of an address; one that carries an IPv4 address inside has that one's class unless it is public.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }

    /// Whether a setting can make it reachable.
    #[must_use]
    pub const fn can_be_allowed(self) -> bool {
        matches!(self, Self::Loopback | Self::Private)
    }
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "the address of a metadata service",
            Self::Multicast => "a multicast address",
            Self::Unspecified => "the unspecified address",
            Self::Broadcast => "the broadcast address",
            Self::Reserved => "a reserved address",
        })
    }
}

/// Metadata services outside the link-local range, or in a range that could be allowed.
const METADATA_V4: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
];
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254),
];

fn of_v4(address: Ipv4Addr) -> AddressClass {
    if METADATA_V4.contains(&address) {
        return AddressClass::Metadata;
    }
    match address.octets() {
        [0, ..] => AddressClass::Unspecified,
        [127, ..] => AddressClass::Loopback,
        [169, 254, ..] => AddressClass::LinkLocal,
        [10, ..]
        | [192, 168, ..]
        | [172, 16..=31, ..]
        | [100, 64..=127, ..]
        | [198, 18..=19, ..] => AddressClass::Private,
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] => {
            AddressClass::Reserved
        }
        [255, 255, 255, 255] => AddressClass::Broadcast,
        [224..=239, ..] => AddressClass::Multicast,
        [240..=255, ..] => AddressClass::Reserved,
        _ => AddressClass::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> AddressClass {
    if METADATA_V6.contains(&address) {
        return AddressClass::Metadata;
    }
    let own = own_v6(address);
    match embedded(address).map(of_v4) {
        None | Some(AddressClass::Public) => own,
        // A private network reached by translation is still one that a setting may open; all else inside stays shut.
        Some(inside) if inside.can_be_allowed() && own == AddressClass::Reserved => {
            AddressClass::Reserved
        }
        Some(inside) => inside,
    }
}

/// The class by the address' own prefix alone.
fn own_v6(address: Ipv6Addr) -> AddressClass {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressClass::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressClass::Loopback,
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x2002, ..] => {
            AddressClass::Public
        }
        [0x64, 0xff9b, 1, ..] => AddressClass::Private,
        [0x2001, 2, 0, ..] => AddressClass::Private,
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => {
            AddressClass::Reserved
        }
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => AddressClass::Private,
        [0xfe80..=0xfebf, ..] => AddressClass::LinkLocal,
        [0xff00..=0xffff, ..] => AddressClass::Multicast,
        [0x2000..=0x3fff, ..] => AddressClass::Public,
        _ => AddressClass::Reserved,
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, translated, NAT64 (RFC 6052), 6to4, Teredo.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let four = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0..=1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => {
            four(high, low)
        }
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => four(high, low),
        // A local-use prefix of 96 bits, or one of 48 whose address is split around the bits 64 to 71.
        [0x64, 0xff9b, 1, 0, 0, 0, high, low] => four(high, low),
        [0x64, 0xff9b, 1, high, middle, low, ..] => four(high, (middle << 8) | (low >> 8)),
        [0x2002, high, low, ..] => four(high, low),
        [0x2001, 0, _, _, _, _, high, low] => four(!high, !low),
        _ => None,
    }
}

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    bits: u8,
}

/// The text is not a range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an address or a range such as `10.0.0.0/8` or `fd00::/8`, with no bits set behind the prefix"
)]
pub struct BadCidr;

impl Cidr {
    /// The range of `bits` leading bits of `network`.
    ///
    /// # Errors
    /// [`BadCidr`] when there are more bits than the address has, or some are set behind them.
    pub fn new(network: IpAddr, bits: u8) -> Result<Self, BadCidr> {
        let range = Self { network, bits };
        let width = if network.is_ipv4() { 32 } else { 128 };
        let rest = u128::MAX.checked_shr(range.leading()).unwrap_or(0);
        if bits <= width && wide(network) & rest == 0 {
            Ok(range)
        } else {
            Err(BadCidr)
        }
    }

    /// Whether the address lies in the range. An IPv4-mapped address is the IPv4 address that it stands for.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let differing = wide(address) ^ wide(self.network);
        address.is_ipv4() == self.network.is_ipv4() && differing.leading_zeros() >= self.leading()
    }

    /// Whether every address of the other range lies in this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.network.is_ipv4() == other.network.is_ipv4()
            && self.bits <= other.bits
            && self.contains(other.network)
    }

    /// The prefix' length in the 128 bits of [`wide`].
    const fn leading(&self) -> u32 {
        self.bits as u32 + if self.network.is_ipv4() { 96 } else { 0 }
    }
}

fn wide(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl FromStr for Cidr {
    type Err = BadCidr;

    fn from_str(text: &str) -> Result<Self, BadCidr> {
        let (network, bits) = text
            .split_once('/')
            .map_or((text, None), |(network, bits)| (network, Some(bits)));
        let network: IpAddr = network.parse().map_err(|_| BadCidr)?;
        let whole = if network.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(whole), |bits| bits.parse().map_err(|_| BadCidr))?;
        Self::new(network, bits)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.bits)
    }
}

/// An address that may not be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedAddress {
    /// A setting could allow it.
    #[error(
        "{address} is {class}, which is reachable only when the setting `egress.allow` (--egress-allow {address}) lists it"
    )]
    NotListed {
        /// The address.
        address: IpAddr,
        /// What it is.
        class: AddressClass,
    },
    /// No setting allows it.
    #[error(
        "{address} is {class}, which is never reachable: no setting (`egress.allow` neither) allows it"
    )]
    Never {
        /// The address.
        address: IpAddr,
        /// What it is.
        class: AddressClass,
    },
}

/// Whether `address` may be connected to, when the settings list `allowed`.
///
/// # Errors
/// Why not, with the setting that would change it.
pub fn check(address: IpAddr, allowed: &[Cidr]) -> Result<(), RefusedAddress> {
    let address = address.to_canonical();
    match AddressClass::of(address) {
        AddressClass::Public => Ok(()),
        class if !class.can_be_allowed() => Err(RefusedAddress::Never { address, class }),
        _ if allowed.iter().any(|range| range.contains(address)) => Ok(()),
        class => Err(RefusedAddress::NotListed { address, class }),
    }
}

#[cfg(test)]
mod tests;
