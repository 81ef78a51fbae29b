//! Where a call comes from: the peer, or what a trusted proxy in front says of it.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use padclock_worker::Cidr;

/// The address of whoever calls: for the audit, for tokens that are bound to ranges, and for limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl ClientAddress {
    /// The peer itself, unless it is a trusted proxy: then the right-most address in `X-Forwarded-For` that is no trusted
    /// proxy's. What stands to the left of that one was written by whoever called, and counts for nothing.
    pub(crate) fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[Cidr]) -> Self {
        let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.contains(address));
        let mut nearest = peer.to_canonical();
        if !is_trusted(nearest) {
            return Self(nearest);
        }
        let lines: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .map(|line| line.to_str().unwrap_or(""))
            .collect();
        for text in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            // What can't be read may stand for anyone: the nearest that is known answers for it.
            let Some(address) = parse(text.trim()) else {
                break;
            };
            nearest = address;
            if !is_trusted(nearest) {
                break;
            }
        }
        Self(nearest)
    }
}

/// An address, with or without a port.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare
        .parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn seen(peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_str(line).unwrap());
        }
        ClientAddress::of(peer.parse().unwrap(), &headers, &trusted)
            .0
            .to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let table: &[(&str, &[&str], &str)] = &[
            ("192.0.2.1", &[], "192.0.2.1"),
            ("192.0.2.1", &["198.51.100.7"], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("fd00::1", &["2001:db8::7"], "2001:db8::7"),
        ];
        for (peer, lines, expected) in table {
            assert_eq!(seen(peer, lines), *expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn what_the_caller_wrote_in_front_counts_for_nothing() {
        let table: &[(&[&str], &str)] = &[
            (&["127.0.0.1, 198.51.100.7"], "198.51.100.7"),
            (&["127.0.0.1", "198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            (
                &["10.9.9.9, 198.51.100.7,10.0.0.2 , 10.0.0.3"],
                "198.51.100.7",
            ),
            (&["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            (&["198.51.100.7:4711"], "198.51.100.7"),
            (&["[2001:db8::7]:4711"], "2001:db8::7"),
            (&["[2001:db8::7]"], "2001:db8::7"),
            (&["198.51.100.7, unknown"], "10.0.0.1"),
            (&["198.51.100.7, nonsense, 10.0.0.2"], "10.0.0.2"),
            (&[""], "10.0.0.1"),
        ];
        for (lines, expected) in table {
            assert_eq!(seen("10.0.0.1", lines), *expected, "{lines:?}");
        }
    }
}
