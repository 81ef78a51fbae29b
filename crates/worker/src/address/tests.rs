//! Tables of special addresses, and that no way of writing one changes its class.

use super::*;
use AddressClass::{
    Broadcast, LinkLocal, Loopback, Metadata, Multicast, Private, Public, Reserved, Unspecified,
};

fn class(text: &str) -> AddressClass {
    AddressClass::of(text.parse().expect("an address"))
}

/// Addresses on both sides of each border, and each way of putting an IPv4 address into an IPv6 one.
const CLASSES: &[(&str, AddressClass)] = &[
    ("1.1.1.1", Public),
    ("8.8.8.8", Public),
    ("11.0.0.1", Public),
    ("172.15.255.255", Public),
    ("172.32.0.0", Public),
    ("100.63.255.255", Public),
    ("100.128.0.0", Public),
    ("192.167.255.255", Public),
    ("126.255.255.255", Public),
    ("223.255.255.255", Public),
    ("0.0.0.0", Unspecified),
    ("0.1.2.3", Unspecified),
    ("127.0.0.1", Loopback),
    ("127.255.255.254", Loopback),
    ("10.0.0.1", Private),
    ("172.16.0.1", Private),
    ("172.31.255.255", Private),
    ("192.168.1.1", Private),
    ("100.64.0.1", Private),
    ("100.127.255.255", Private),
    ("198.18.0.1", Private),
    ("169.254.0.1", LinkLocal),
    ("169.254.169.254", Metadata),
    ("100.100.100.200", Metadata),
    ("192.0.0.192", Metadata),
    ("168.63.129.16", Metadata),
    ("192.0.0.1", Reserved),
    ("192.0.2.1", Reserved),
    ("198.51.100.7", Reserved),
    ("203.0.113.9", Reserved),
    ("192.88.99.1", Reserved),
    ("240.0.0.1", Reserved),
    ("255.255.255.254", Reserved),
    ("255.255.255.255", Broadcast),
    ("224.0.0.1", Multicast),
    ("239.255.255.255", Multicast),
    ("2606:4700:4700::1111", Public),
    ("2a00:1450:4001::1", Public),
    ("::", Unspecified),
    ("::1", Loopback),
    ("fc00::1", Private),
    ("fd12:3456::1", Private),
    ("fec0::1", Private),
    ("2001:2::1", Private),
    ("fd00:ec2::254", Metadata),
    ("fd20:ce::254", Metadata),
    ("fe80::1", LinkLocal),
    ("febf::1", LinkLocal),
    ("ff02::1", Multicast),
    ("2001:db8::1", Reserved),
    ("3fff::1", Reserved),
    ("100::1", Reserved),
    ("4000::1", Reserved),
    ("5f00::1", Reserved),
    // IPv4 inside: mapped, compatible, translated, NAT64, 6to4, Teredo.
    ("::ffff:1.1.1.1", Public),
    ("::ffff:127.0.0.1", Loopback),
    ("::ffff:169.254.169.254", Metadata),
    ("::ffff:0.0.0.0", Unspecified),
    ("::ffff:255.255.255.255", Broadcast),
    ("::169.254.169.254", Metadata),
    ("::127.0.0.1", Reserved),
    ("::8.8.8.8", Reserved),
    ("::ffff:0:169.254.169.254", Metadata),
    ("::ffff:0:10.0.0.1", Reserved),
    ("64:ff9b::8.8.8.8", Public),
    ("64:ff9b::169.254.169.254", Metadata),
    ("64:ff9b::10.0.0.1", Private),
    ("64:ff9b::127.0.0.1", Loopback),
    ("64:ff9b:1::8.8.8.8", Private),
    ("64:ff9b:1::169.254.169.254", Metadata),
    ("64:ff9b:1:a9fe:a9:fe00::", Metadata),
    ("2002:a9fe:a9fe::1", Metadata),
    ("2002:7f00:1::1", Loopback),
    ("2002:e000:1::1", Multicast),
    ("2002:808:808::1", Public),
    ("2001:0:1:2:3:4:5601:5601", Metadata),
    ("2001:0:1:2:3:4:f7f7:f7f7", Reserved),
];

#[test]
fn addresses_have_their_class() {
    for &(text, expected) in CLASSES {
        assert_eq!(class(text), expected, "{text}");
    }
}

#[test]
fn only_loopback_and_private_ranges_can_be_allowed() {
    let everything: Vec<Cidr> = ["0.0.0.0/0", "::/0"]
        .map(|text| text.parse().expect("a range"))
        .into();
    let allowed = [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "100.64.0.1",
        "::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "1.1.1.1",
    ];
    for text in allowed {
        assert_eq!(
            check(text.parse().expect("an address"), &everything),
            Ok(()),
            "{text}"
        );
    }
    let never = [
        "169.254.169.254",
        "169.254.1.1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "224.0.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "240.0.0.1",
        "fe80::1",
        "ff02::1",
        "::",
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "::169.254.169.254",
        "::127.0.0.1",
    ];
    for text in never {
        let address: IpAddr = text.parse().expect("an address");
        let refused = check(address, &everything).expect_err(text);
        assert!(
            matches!(refused, RefusedAddress::Never { .. }),
            "{text}: {refused}"
        );
        assert!(refused.to_string().contains("never reachable"), "{refused}");
    }
}

#[test]
fn a_refusal_names_the_class_and_the_setting() {
    let refused = check("127.0.0.1".parse().expect("an address"), &[]).expect_err("not listed");
    let text = refused.to_string();
    assert!(
        text.contains("loopback") && text.contains("--egress-allow 127.0.0.1"),
        "{text}"
    );
    let refused =
        check("::ffff:10.0.0.1".parse().expect("an address"), &[]).expect_err("not listed");
    assert_eq!(
        refused.to_string(),
        check("10.0.0.1".parse().expect("an address"), &[])
            .expect_err("")
            .to_string()
    );
}

#[test]
fn ranges_hold_what_they_say() {
    let table = [
        ("10.0.0.0/8", "10.255.255.255", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.1/32", "127.0.0.2", false),
        ("127.0.0.0/8", "::ffff:127.0.0.1", true),
        ("0.0.0.0/0", "255.1.2.3", true),
        ("0.0.0.0/0", "::1", false),
        ("::/0", "127.0.0.1", false),
        ("::/0", "fd00::1", true),
        ("fd00::/8", "fdff::1", true),
        ("fd00::/8", "fc00::1", false),
        ("::1", "::1", true),
        ("192.168.4.0/22", "192.168.7.255", true),
        ("192.168.4.0/22", "192.168.8.0", false),
    ];
    for (range, address, holds) in table {
        let parsed: Cidr = range.parse().expect("a range");
        assert_eq!(
            parsed.contains(address.parse().expect("an address")),
            holds,
            "{range} {address}"
        );
        assert_eq!(parsed.to_string().parse(), Ok(parsed));
    }
}

#[test]
fn what_is_no_range_is_refused() {
    for text in [
        "",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "::/129",
        "fd00::1/8",
        "host",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "/8",
        "10/8",
        "0.0.0.0/128",
    ] {
        assert_eq!(text.parse::<Cidr>(), Err(BadCidr), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn a_mapped_address_is_judged_as_the_address_it_maps(bits: u32) {
        let four = Ipv4Addr::from_bits(bits);
        proptest::prop_assert_eq!(AddressClass::of(four.to_ipv6_mapped().into()), AddressClass::of(four.into()));
        let (as_four, as_six) = (check(four.into(), &[]), check(four.to_ipv6_mapped().into(), &[]));
        proptest::prop_assert_eq!(as_four, as_six);
    }

    #[test]
    fn no_embedding_makes_a_shut_address_reachable(bits: u32) {
        let four = Ipv4Addr::from_bits(bits);
        let [a, b, c, d] = four.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let forms = [
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !high, !low),
        ];
        let closed = check(four.into(), &[]).is_err();
        for form in forms {
            proptest::prop_assert!(!closed || check(form.into(), &[]).is_err(), "{} in {}", four, form);
        }
    }
}
