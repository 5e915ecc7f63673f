//! Whose an address is: what may be dialled is decided here, for every spelling and every way around.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Whose an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// Anybody's on the internet.
    Public,
    /// Of this machine or its network.
    Private,
    /// Nobody's that a message may go to.
    Never(&'static str),
}

/// Networks of IPv4 that are not the internet's: first address, bits, whose they are (RFC 6890 and others).
const V4: [(Ipv4Addr, u32, Zone); 20] = [
    (v4(0, 0, 0, 0), 8, Zone::Never("no address of a machine")),
    (v4(10, 0, 0, 0), 8, Zone::Private),
    // Alibaba Cloud's metadata lies in the space that carriers share.
    (v4(100, 100, 100, 200), 32, METADATA),
    (v4(100, 64, 0, 0), 10, Zone::Private),
    (v4(127, 0, 0, 0), 8, Zone::Private),
    // Azure's, in the middle of the internet.
    (v4(168, 63, 129, 16), 32, METADATA),
    (v4(169, 254, 169, 254), 32, METADATA),
    (v4(169, 254, 0, 0), 16, LINK_LOCAL),
    (v4(172, 16, 0, 0), 12, Zone::Private),
    // Oracle Cloud's.
    (v4(192, 0, 0, 192), 32, METADATA),
    (v4(192, 0, 0, 0), 24, PROTOCOLS),
    (v4(192, 0, 2, 0), 24, EXAMPLE),
    (v4(192, 88, 99, 0), 24, Zone::Never("a relay of 6to4")),
    (v4(192, 168, 0, 0), 16, Zone::Private),
    // Proxies inside of a network use it for names.
    (v4(198, 18, 0, 0), 15, Zone::Private),
    (v4(198, 51, 100, 0), 24, EXAMPLE),
    (v4(203, 0, 113, 0), 24, EXAMPLE),
    (v4(224, 0, 0, 0), 4, Zone::Never("a group of machines")),
    (v4(240, 0, 0, 0), 4, Zone::Never("reserved")),
    (v4(255, 255, 255, 255), 32, Zone::Never("every machine")),
];

/// The same of IPv6. What is not in the table and not in 2000::/3 is nobody's.
const V6: [(Ipv6Addr, u32, Zone); 14] = [
    (v6([0, 0, 0, 0, 0, 0, 0, 1]), 128, Zone::Private),
    // Amazon's and Google's metadata lie among the private addresses.
    (v6([0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254]), 128, METADATA),
    (v6([0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254]), 128, METADATA),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0]), 7, Zone::Private),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0]), 10, LINK_LOCAL),
    (
        v6([0xff00, 0, 0, 0, 0, 0, 0, 0]),
        8,
        Zone::Never("a group of machines"),
    ),
    // Teredo hides an address of IPv4; the rest of it is for protocols.
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0]), 23, PROTOCOLS),
    (v6([0x2001, 0x0db8, 0, 0, 0, 0, 0, 0]), 32, EXAMPLE),
    (
        v6([0x2002, 0, 0, 0, 0, 0, 0, 0]),
        16,
        Zone::Never("an address of IPv4 in one of 6to4"),
    ),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0]), 20, EXAMPLE),
    (v6([0x2000, 0, 0, 0, 0, 0, 0, 0]), 3, Zone::Public),
    (v6([0x0100, 0, 0, 0, 0, 0, 0, 0]), 64, Zone::Never("a sink")),
    (
        v6([0x0064, 0xff9b, 1, 0, 0, 0, 0, 0]),
        48,
        Zone::Never("an address of IPv4 behind a translator"),
    ),
    (v6([0; 8]), 0, Zone::Never("no address of a machine")),
];

const METADATA: Zone = Zone::Never("where a cloud tells a machine its secrets");
const LINK_LOCAL: Zone = Zone::Never("link-local");
const PROTOCOLS: Zone = Zone::Never("for protocols");
const EXAMPLE: Zone = Zone::Never("for examples");

const fn v4(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

const fn v6(parts: [u16; 8]) -> Ipv6Addr {
    let [a, b, c, d, e, f, g, h] = parts;
    Ipv6Addr::new(a, b, c, d, e, f, g, h)
}

/// Whose it is. The most specific line of a table that has it counts.
pub(super) fn zone(address: IpAddr) -> Zone {
    match address {
        IpAddr::V4(address) => zone_v4(address),
        IpAddr::V6(address) => zone_v6(address),
    }
}

fn zone_v4(address: Ipv4Addr) -> Zone {
    let bits = u32::from(address);
    let within = V4.iter().filter(|(network, length, _)| {
        let rest = 32 - length;
        bits.checked_shr(rest) == u32::from(*network).checked_shr(rest)
    });
    let closest = within.max_by_key(|(_, length, _)| *length);
    closest.map_or(Zone::Public, |(.., zone)| *zone)
}

fn zone_v6(address: Ipv6Addr) -> Zone {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return zone_v4(mapped);
    }
    let [a, b, c, d, e, f, ..] = address.segments();
    if [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0] {
        // What a translator makes of a public address is public; of another it must make none (RFC 6052).
        let [.., w, x, y, z] = address.octets();
        return match zone_v4(v4(w, x, y, z)) {
            Zone::Private => Zone::Never("a private address of IPv4 behind a translator"),
            other => other,
        };
    }
    let bits = u128::from(address);
    let within = V6.iter().filter(|(network, length, _)| {
        let rest = 128 - length;
        bits.checked_shr(rest) == u128::from(*network).checked_shr(rest)
    });
    let closest = within.max_by_key(|(_, length, _)| *length);
    closest.map_or(Zone::Public, |(.., zone)| *zone)
}

/// Whether whoever dials `address` reaches the listener `own` of this very process.
pub(super) fn is_own(address: IpAddr, port: u16, own: SocketAddr) -> bool {
    let address = address.to_canonical();
    let listens = own.ip().to_canonical();
    if port != own.port() {
        return false;
    }
    if address == listens || (address.is_loopback() && listens.is_loopback()) {
        return true;
    }
    // A listener on all addresses is reached by each of this machine.
    listens.is_unspecified() && (address.is_loopback() || is_of_this_machine(address))
}

/// Whether the system would talk to this address from this same address: nothing is sent to find out.
fn is_of_this_machine(address: IpAddr) -> bool {
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let from = || {
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect((address, 9))?;
        socket.local_addr()
    };
    from().is_ok_and(|from| from.ip() == address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(address: &str) -> &'static str {
        match zone(address.parse().unwrap()) {
            Zone::Public => "public",
            Zone::Private => "private",
            Zone::Never(_) => "never",
        }
    }

    #[test]
    fn every_network_that_is_not_the_internet_is_known() {
        let never = "0.0.0.0 0.1.2.3 169.254.169.254 169.254.0.1 100.100.100.200 168.63.129.16 192.0.0.192 \
            192.0.0.1 192.0.2.7 198.51.100.7 203.0.113.7 192.88.99.1 224.0.0.1 239.255.255.255 240.0.0.1 \
            255.255.255.255 :: ::7f00:1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 64:ff9b::7f00:1 \
            64:ff9b::a00:1 64:ff9b:1::1 2002:7f00:1:: 2002:a9fe:a9fe:: 2001::1 2001:0:4136:e378:: \
            2001:db8::1 3fff::1 fe80::1 febf::1 fec0::1 ff02::1 fd00:ec2::254 fd20:ce::254 100::1 \
            4000::1 ::ffff:0:127.0.0.1";
        let private = "10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.1.1 127.0.0.1 127.255.0.1 \
            100.64.0.1 100.127.255.255 198.18.0.1 198.19.255.255 ::1 fc00::1 fdff::1 ::ffff:10.0.0.1 \
            ::ffff:127.0.0.1 ::ffff:7f00:1";
        let public = "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
            169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 \
            198.20.0.0 223.255.255.255 2606:4700::1111 2001:200::1 2003::1 64:ff9b::101:101 \
            ::ffff:1.1.1.1";
        for (addresses, expected) in [(never, "never"), (private, "private"), (public, "public")] {
            for address in addresses.split_whitespace() {
                assert_eq!(kind(address), expected, "{address}");
            }
        }
    }

    #[test]
    fn the_own_listener_is_recognised_by_every_address_that_reaches_it() {
        let own = |address: &str, port, own: &str| {
            is_own(address.parse().unwrap(), port, own.parse().unwrap())
        };
        assert!(own("127.0.0.1", 8080, "127.0.0.1:8080"));
        assert!(own("::ffff:127.0.0.1", 8080, "127.0.0.1:8080"));
        assert!(own("127.0.0.1", 8080, "0.0.0.0:8080"));
        assert!(own("127.3.2.1", 8080, "0.0.0.0:8080"));
        assert!(own("::1", 8080, "[::]:8080"));
        assert!(!own("127.0.0.1", 8081, "127.0.0.1:8080"));
        assert!(!own("10.77.66.55", 8080, "127.0.0.1:8080"));
        assert!(!own("1.1.1.1", 8080, "0.0.0.0:8080"));
    }
}
