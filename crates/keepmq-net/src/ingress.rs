//! Who may connect to a listener at all, by source address.

use std::net::IpAddr;

use ipnet::IpNet;

/// A listener's rules. What no rule allows is turned away; a denial wins over any allowance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ingress {
    /// Networks that may connect.
    pub allow: Vec<IpNet>,
    /// Networks that may not, whatever else is said.
    pub deny: Vec<IpNet>,
}

impl Ingress {
    /// Whether a source may connect. An IPv4 address that arrives in IPv6 clothes is judged as the IPv4 address it is.
    pub fn admits(&self, source: IpAddr) -> bool {
        let source = source.to_canonical();
        let has = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&source));
        !has(&self.deny) && has(&self.allow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ingress(allow: &[&str], deny: &[&str]) -> Ingress {
        let list = |networks: &[&str]| networks.iter().map(|network| network.parse().unwrap()).collect();
        Ingress { allow: list(allow), deny: list(deny) }
    }

    #[test]
    fn without_a_rule_nobody_connects() {
        assert!(!Ingress::default().admits("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_denial_wins() {
        let rules = ingress(&["10.0.0.0/8"], &["10.1.0.0/16"]);
        assert!(rules.admits("10.2.3.4".parse().unwrap()));
        assert!(!rules.admits("10.1.3.4".parse().unwrap()));
        assert!(!rules.admits("11.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_mapped_address_is_judged_as_what_it_is() {
        let rules = ingress(&["::/0", "10.0.0.0/8"], &["10.1.0.0/16"]);
        assert!(!rules.admits("::ffff:10.1.0.1".parse().unwrap()), "not by the rule for IPv6");
        assert!(!rules.admits("::ffff:11.0.0.1".parse().unwrap()));
        assert!(rules.admits("::ffff:10.2.0.1".parse().unwrap()));
        assert!(rules.admits("fd00::1".parse().unwrap()));
    }
}
