//! Frames as the JavaScript client writes them (`cbor-x`, no records, byte arrays untagged), and
//! as hostile peers might.

use proptest::prelude::*;

use super::*;
use crate::wire::encode;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn document() -> DocumentId {
    DocumentId::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
}

fn check(bytes: &str, frame: &Frame) {
    let limits = Limits::default();
    assert_eq!(decode(&hex(bytes), &limits).as_ref(), Ok(frame));
    assert_eq!(decode(&encode(frame), &limits).as_ref(), Ok(frame), "our own");
}

const JOIN: &str = "b900046474797065646a6f696e6873656e646572496466706565722d616c706565724d65746164617461b900026973746f726167654964f76b6973457068656d6572616cf57819737570706f7274656450726f746f636f6c56657273696f6e73816131";
const SYNC: &str = "b9000564747970656473796e636873656e646572496466706565722d616874617267657449646373727664646174614242006a646f63756d656e744964781a7045626d5357714a64427550616452476d3874445a5867575236";
const TAGGED_SYNC: &str = "b9000564747970656473796e636873656e646572496466706565722d61687461726765744964637372766464617461d8404242006a646f63756d656e744964781a7045626d5357714a64427550616452476d3874445a5867575236";

#[test]
fn every_frame_of_the_javascript_client_is_read_and_written() {
    let (a, srv) = (PeerId::from("peer-a"), PeerId::from("srv"));
    let document = document();
    check(
        JOIN,
        &Frame::Join {
            sender: a.clone(),
            versions: vec!["1".to_owned()],
            metadata: PeerMetadata { storage_id: None, is_ephemeral: true },
        },
    );
    check(
        "b90005647479706564706565726873656e6465724964637372766c706565724d65746164617461b900026973746f7261676549646273746b6973457068656d6572616cf47773656c656374656450726f746f636f6c56657273696f6e613168746172676574496466706565722d61",
        &Frame::Peer {
            sender: srv.clone(),
            target: a.clone(),
            version: "1".to_owned(),
            metadata: PeerMetadata { storage_id: Some("st".to_owned()), is_ephemeral: false },
        },
    );
    check(
        "b90005647479706567726571756573746873656e646572496466706565722d61687461726765744964637372766464617461430102036a646f63756d656e744964781a7045626d5357714a64427550616452476d3874445a5867575236",
        &Frame::Request { sender: a.clone(), target: srv.clone(), document, data: vec![1, 2, 3] },
    );
    let sync = Frame::Sync { sender: a.clone(), target: srv.clone(), document, data: vec![0x42, 0] };
    check(SYNC, &sync);
    check(TAGGED_SYNC, &sync);
    check(
        "b9000464747970656f646f632d756e617661696c61626c656873656e64657249646373727668746172676574496466706565722d616a646f63756d656e744964781a7045626d5357714a64427550616452476d3874445a5867575236",
        &Frame::DocUnavailable { sender: srv.clone(), target: a.clone(), document },
    );
    check(
        "b90007647479706569657068656d6572616c6873656e64657249646373727668746172676574496466706565722d6165636f756e741a000111706973657373696f6e4964636162636a646f63756d656e744964781a7045626d5357714a64427550616452476d3874445a586757523664646174614109",
        &Frame::Ephemeral {
            sender: srv.clone(),
            target: a.clone(),
            document,
            session: "abc".to_owned(),
            count: 70_000,
            data: vec![9],
        },
    );
    check(
        "b900046474797065656572726f726873656e646572496463737276676d657373616765781c756e737570706f727465642070726f746f636f6c2076657273696f6e68746172676574496466706565722d61",
        &Frame::Error {
            sender: Some(srv.clone()),
            target: Some(a.clone()),
            message: "unsupported protocol version".to_owned(),
        },
    );
    check(
        "b900056474797065781a72656d6f74652d737562736372697074696f6e2d6368616e67656873656e64657249646373727668746172676574496466706565722d6163616464816273316672656d6f7665f7",
        &Frame::RemoteSubscriptionChange {
            sender: srv.clone(),
            target: a.clone(),
            add: vec!["s1".to_owned()],
            remove: vec![],
        },
    );
    check(
        "b9000564747970657472656d6f74652d68656164732d6368616e6765646873656e64657249646373727668746172676574496466706565722d616a646f63756d656e744964781a7045626d5357714a64427550616452476d3874445a5867575236686e65774865616473b90001627331b90002656865616473826268316268326974696d657374616d70fb4279ab697e87b000",
        &Frame::RemoteHeadsChanged {
            sender: srv,
            target: a.clone(),
            document,
            new_heads: vec![(
                "s1".to_owned(),
                Heads { heads: vec!["h1".to_owned(), "h2".to_owned()], timestamp: 1_764_000_000_123 },
            )],
        },
    );
    let leave = Frame::Leave { sender: a };
    assert_eq!(decode(&encode(&leave), &Limits::default()), Ok(leave));
}

#[test]
fn what_is_unknown_is_tolerated_and_what_is_wrong_is_refused() {
    let limits = Limits::default();
    let read = |text: &str| decode(&hex(text), &limits);
    // {"type": "gossip", "x": [1, {2: h'00'}, (_ "a", "b")]}: a kind and a field to come.
    assert_eq!(
        read("a2647479706566676f7373697061788301a1024100 7f61616162ff".replace(' ', "").as_str()),
        Ok(Frame::Unknown { kind: "gossip".to_owned() })
    );
    assert_eq!(read(""), Err(Refusal::Truncated));
    assert_eq!(read("80"), Err(Refusal::NotAMap));
    assert_eq!(read("a0"), Err(Refusal::Missing("type")));
    assert_eq!(read("f6"), Err(Refusal::Missing("type")));
    assert_eq!(read("a164747970650 1".replace(' ', "").as_str()), Err(Refusal::WrongType("type")));
    assert_eq!(read(&format!("{SYNC}00")), Err(Refusal::Trailing));
    assert_eq!(read(&SYNC[..SYNC.len() - 2]), Err(Refusal::Truncated));
    assert_eq!(read(&SYNC.replace("704562", "704563")), Err(Refusal::DocumentId));
    assert_eq!(read("a164747970656473796e63"), Err(Refusal::Missing("senderId")));
    // A map, an array and a byte string that promise 2^63 entries.
    assert_eq!(read("bb8000000000000000"), Err(Refusal::Truncated));
    assert_eq!(read("a161789b8000000000000000"), Err(Refusal::Truncated));
    assert_eq!(read("a161785b8000000000000000"), Err(Refusal::Truncated));
    assert_eq!(read("ff"), Err(Refusal::NotCbor("a break where none belongs")));
    assert_eq!(read("a1617862c328"), Err(Refusal::Missing("type")), "an unread text may be anything");
    assert_eq!(
        read("a164747970656 2c328".replace(' ', "").as_str()),
        Err(Refusal::NotCbor("a text that is not UTF-8"))
    );
}

#[test]
fn limits_hold() {
    let limits = Limits { frame_bytes: 4096, text_bytes: 64, items: 8, depth: 4 };
    let nested = |depth: usize| {
        let mut bytes = hex("a16178");
        bytes.extend(std::iter::repeat_n(0x81, depth));
        bytes.push(0);
        decode(&bytes, &limits)
    };
    assert_eq!(nested(3), Err(Refusal::Missing("type")), "deep, but allowed");
    assert_eq!(nested(4), Err(Refusal::TooDeep(4)));
    assert_eq!(nested(4000), Err(Refusal::TooDeep(4)));
    let tags = [hex("a16178"), vec![0xc1; 4000], vec![0]].concat();
    assert_eq!(decode(&tags, &limits), Err(Refusal::TooDeep(4)));
    assert!(matches!(decode(&vec![0; 4097], &limits), Err(Refusal::TooLong { .. })));
    let join = |versions: usize, name: usize| {
        let frame = Frame::Join {
            sender: PeerId::from("n".repeat(name)),
            versions: vec!["1".to_owned(); versions],
            metadata: PeerMetadata::default(),
        };
        decode(&encode(&frame), &limits).map(|_| ())
    };
    assert_eq!(join(8, 64), Ok(()));
    assert_eq!(join(9, 64), Err(Refusal::TooMany(8)));
    assert_eq!(join(8, 65), Err(Refusal::TextTooLong(64)));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = decode(&bytes, &Limits::default());
    }

    #[test]
    fn a_frame_with_any_byte_changed_is_read_or_refused(
        which in 0..3usize,
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = hex([JOIN, SYNC, TAGGED_SYNC][which]);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(frame) = decode(&bytes, &Limits::default()) {
            prop_assert_eq!(decode(&encode(&frame), &Limits::default()), Ok(frame));
        }
    }
}
