//! Mail servers that never stop talking.

use super::{dispatched, service};
use crate::tests::post::{Deed, PostOffice, Step};

/// What the system takes for a peer that reads nothing any more: the buffers of both sides.
const BUFFERS: u64 = 64 * 1024 * 1024;

/// A line of an answer that goes on.
const LINE: &str = "250-and more, and more, and more, and more, and more, and more, and more, and more, and more\r\n";

#[test]
fn a_server_that_never_stops_talking_is_left_soon() {
    let line = (Deed::Floods("x"), "says more than 262144 bytes at once");
    // Of many lines lettre itself has enough.
    let lines = (Deed::Floods(LINE), "too large");
    for (step, cases) in [
        (Step::Greeting, &[line, lines][..]),
        (Step::Hello, &[line]),
        (Step::From, &[line]),
        (Step::To, &[line]),
        (Step::Data, &[line]),
        (Step::Content, &[line, lines]),
    ] {
        for (deed, told) in cases.iter().copied() {
            let post = PostOffice::open();
            let service = service(post.port, "");
            post.fails(step, deed, 1);
            let id = dispatched(&service);
            let path = format!("/v1/tickets/{id}/messages");
            let why = service.get("eye", &path).is(200).text;
            assert!(why.contains(told), "{step:?}: {why}");
            assert!(post.flooded() < BUFFERS, "{step:?}: {}", post.flooded());
            service.pass(1);
            assert_eq!(post.mails(1)[0].to, ["ann@example.com"], "{step:?}");
        }
    }
}
