//! What an address is, and who may come from where.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Who can reach an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posture {
    /// This machine only.
    Loopback,
    /// A private IPv4 network (RFC 1918).
    Private,
    /// The neighbours on the wire.
    LinkLocal,
    /// A private IPv6 network (RFC 4193).
    UniqueLocal,
    /// Everybody, as far as can be known. What is not known to be narrower is this.
    Public,
    /// All addresses of the machine, so the public ones too.
    Unspecified,
}

impl Posture {
    /// Judges an address. IPv4 addresses written as IPv6 ones are judged as what they are.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    /// Whether it has to be declared, and everything in front of it closed.
    pub fn is_public(self) -> bool {
        matches!(self, Self::Public | Self::Unspecified)
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        if address.is_unspecified() {
            Self::Unspecified
        } else if address.is_loopback() {
            Self::Loopback
        } else if address.is_private() {
            Self::Private
        } else if address.is_link_local() {
            Self::LinkLocal
        } else {
            Self::Public
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        if address.is_unspecified() {
            Self::Unspecified
        } else if address.is_loopback() {
            Self::Loopback
        } else if address.is_unique_local() {
            Self::UniqueLocal
        } else if address.is_unicast_link_local() {
            Self::LinkLocal
        } else {
            Self::Public
        }
    }
}

impl fmt::Display for Posture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::LinkLocal => "link-local",
            Self::UniqueLocal => "unique local",
            Self::Public => "public",
            Self::Unspecified => "every address of the machine",
        })
    }
}

/// From where a listener takes connections, judged before anything else of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ingress {
    /// From these networks.
    pub allow: Vec<IpNet>,
    /// But not from these.
    pub deny: Vec<IpNet>,
}

impl Ingress {
    /// What holds for an address when nothing is written: its own kind of neighbours. For a public one, nobody.
    pub fn by_posture(posture: Posture) -> Self {
        let loopback = [v4([127, 0, 0, 0], 8), v6(Ipv6Addr::LOCALHOST, 128)];
        let private = [
            v4([10, 0, 0, 0], 8),
            v4([172, 16, 0, 0], 12),
            v4([192, 168, 0, 0], 16),
            v6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
        ];
        let link = [v4([169, 254, 0, 0], 16), v6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10)];
        let allow = match posture {
            Posture::Loopback => loopback.to_vec(),
            Posture::Private | Posture::UniqueLocal => [&loopback[..], &private[..]].concat(),
            Posture::LinkLocal => [&loopback[..], &link[..]].concat(),
            Posture::Public | Posture::Unspecified => Vec::new(),
        };
        Self { allow, deny: Vec::new() }
    }

    /// Whether somebody from there may come in.
    pub fn admits(&self, source: IpAddr) -> bool {
        let source = source.to_canonical();
        let within = |nets: &[IpNet]| nets.iter().any(|net| net.contains(&source));
        within(&self.allow) && !within(&self.deny)
    }
}

fn v4(octets: [u8; 4], prefix: u8) -> IpNet {
    Ipv4Net::new(octets.into(), prefix).unwrap_or_default().into()
}

fn v6(address: Ipv6Addr, prefix: u8) -> IpNet {
    Ipv6Net::new(address, prefix).unwrap_or_default().into()
}

/// Reads a network in CIDR form; a bare address is a network of one. The fault comes with its remedy.
pub(crate) fn parse_net(text: &str) -> Result<IpNet, (String, String)> {
    let form = "write a network such as \"10.0.0.0/8\" or \"fd00::/8\", or one address".to_owned();
    let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
    let no_net = || (format!("{} is not a network", crate::value::quoted(text)), form.clone());
    let address: IpAddr = address.parse().map_err(|_| no_net())?;
    let prefix = match prefix {
        None => None,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(digits.parse::<u8>().map_err(|_| no_net())?)
        }
        Some(_) => return Err(no_net()),
    };
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let net = IpNet::new(address, prefix.unwrap_or(whole)).map_err(|_| no_net())?;
    if net.network() != net.addr() {
        let what = format!("{net} is an address within a network");
        return Err((
            what,
            format!("write \"{}\" for the network or \"{address}\" for the address", net.trunc()),
        ));
    }
    plain_v4(net).ok_or_else(|| (format!("{net} mixes IPv4 and IPv6"), form))
}

/// Sources are compared as what they are, so a network of IPv4 addresses written as IPv6 ones has to become one of
/// IPv4; `None` when it is only in part such a network.
fn plain_v4(net: IpNet) -> Option<IpNet> {
    match (net, net.addr().to_canonical()) {
        (IpNet::V6(v6), IpAddr::V4(address)) => {
            let prefix = v6.prefix_len().checked_sub(96)?;
            Ipv4Net::new(address, prefix).ok().map(IpNet::V4)
        }
        _ => Some(net),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn posture(text: &str) -> Posture {
        Posture::of(text.parse().unwrap())
    }

    #[test]
    fn ipv4_addresses_are_judged_by_their_ranges() {
        for (addresses, wanted) in [
            (vec!["127.0.0.1", "127.255.255.254"], Posture::Loopback),
            (vec!["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"], Posture::Private),
            (vec!["169.254.169.254"], Posture::LinkLocal),
            (vec!["0.0.0.0"], Posture::Unspecified),
            (
                vec!["8.8.8.8", "172.15.0.1", "172.32.0.1", "192.169.0.1", "11.0.0.1", "126.255.255.255"],
                Posture::Public,
            ),
            // Shared between a provider's customers, documentation, benchmarks, multicast, reserved.
            (vec!["100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255"], Posture::Public),
        ] {
            for address in addresses {
                assert_eq!(posture(address), wanted, "{address}");
            }
        }
    }

    #[test]
    fn ipv6_addresses_are_judged_by_their_ranges() {
        for (addresses, wanted) in [
            (vec!["::1"], Posture::Loopback),
            (vec!["fc00::1", "fd12:3456::1"], Posture::UniqueLocal),
            (vec!["fe80::1", "febf::1"], Posture::LinkLocal),
            (vec!["::"], Posture::Unspecified),
            (
                vec!["2001:db8::1", "2606:4700::1111", "fec0::1", "fe00::1", "ff02::1", "64:ff9b::a00:1"],
                Posture::Public,
            ),
        ] {
            for address in addresses {
                assert_eq!(posture(address), wanted, "{address}");
            }
        }
    }

    #[test]
    fn ipv4_addresses_written_as_ipv6_are_judged_as_ipv4() {
        assert_eq!(posture("::ffff:127.0.0.1"), Posture::Loopback);
        assert_eq!(posture("::ffff:10.1.2.3"), Posture::Private);
        assert_eq!(posture("::ffff:0.0.0.0"), Posture::Unspecified);
        assert_eq!(posture("::ffff:8.8.8.8"), Posture::Public);
        assert_eq!(posture("::10.0.0.1"), Posture::Public, "the old compatible form names no IPv4 address");
    }

    #[test]
    fn only_public_and_unspecified_have_to_be_declared() {
        for (address, public) in
            [("8.8.8.8", true), ("0.0.0.0", true), ("::", true), ("10.0.0.1", false), ("::1", false)]
        {
            assert_eq!(posture(address).is_public(), public, "{address}");
        }
    }

    #[test]
    fn what_is_not_written_admits_the_own_kind_only() {
        let admits = |posture, source: &str| Ingress::by_posture(posture).admits(source.parse().unwrap());
        assert!(admits(Posture::Loopback, "127.0.0.1") && admits(Posture::Loopback, "::1"));
        assert!(admits(Posture::Loopback, "::ffff:127.0.0.1"));
        assert!(!admits(Posture::Loopback, "10.0.0.1") && !admits(Posture::Loopback, "8.8.8.8"));
        assert!(admits(Posture::Private, "192.168.0.9") && admits(Posture::UniqueLocal, "fd00::9"));
        assert!(!admits(Posture::Private, "8.8.8.8") && !admits(Posture::Private, "169.254.0.1"));
        assert!(admits(Posture::LinkLocal, "fe80::5") && !admits(Posture::LinkLocal, "10.0.0.1"));
        assert!(!admits(Posture::Public, "127.0.0.1") && !admits(Posture::Unspecified, "10.0.0.1"));
    }

    #[test]
    fn deny_wins_over_allow_and_absence_denies() {
        let net = |text| parse_net(text).unwrap();
        let ingress = Ingress { allow: vec![net("10.0.0.0/8")], deny: vec![net("10.9.0.0/16")] };
        assert!(ingress.admits("10.8.0.1".parse().unwrap()));
        assert!(!ingress.admits("10.9.0.1".parse().unwrap()));
        assert!(!Ingress::default().admits("127.0.0.1".parse().unwrap()));
        assert!(!ingress.admits("::10.8.0.1".parse().unwrap()));
    }

    #[test]
    fn an_ipv4_network_written_as_ipv6_is_the_ipv4_network() {
        assert_eq!(parse_net("::ffff:10.0.0.0/104").unwrap(), parse_net("10.0.0.0/8").unwrap());
        assert_eq!(parse_net("::ffff:10.0.0.1").unwrap(), parse_net("10.0.0.1").unwrap());
        assert!(parse_net("::ffff:0.0.0.0/90").is_err());
    }

    #[test]
    fn an_address_within_a_network_is_not_taken_for_the_network() {
        let (_, remedy) = parse_net("10.0.0.1/8").unwrap_err();
        assert_eq!(remedy, "write \"10.0.0.0/8\" for the network or \"10.0.0.1\" for the address");
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "a/8",
            "010.0.0.0/8",
            "1/1/1",
        ] {
            assert!(parse_net(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_network_that_reads_shows_as_it_reads(bits in any::<u32>(), prefix in 0u8..=32) {
            let net = Ipv4Net::new(bits.into(), prefix).unwrap().trunc();
            prop_assert_eq!(parse_net(&net.to_string()).unwrap(), IpNet::V4(net));
        }

        #[test]
        fn an_address_has_one_posture_in_both_forms(bits in any::<u32>()) {
            let address = Ipv4Addr::from(bits);
            prop_assert_eq!(Posture::of(address.into()), Posture::of(address.to_ipv6_mapped().into()));
        }
    }
}
