//! What a connection's state means to a person.

use super::Entry;
use crate::health;
use crate::words::{clock_time, cut};
use hearthwatt_api::{BrokerOrigin, BrokerState, Notice, NoticeCode, Severity};
use hearthwatt_discovery::net::mqtt::ConnState;
use hearthwatt_domain::time::UnixMillis;
use jiff::tz::TimeZone;

/// Notices that a broker's state can lead to.
pub(super) const CODES: [NoticeCode; 4] = [
    NoticeCode::BrokerUnreachable,
    NoticeCode::BrokerBadCredentials,
    NoticeCode::BrokerBadCertificate,
    NoticeCode::BrokerRefusesTopics,
];
/// Refused topic filters that a notice names.
const TOPICS_NAMED: usize = 3;

impl Entry {
    pub(super) fn is(&mut self, conn: ConnState, now: UnixMillis) {
        let (state, detail) = match conn {
            // a new attempt does not make the last failure undone
            ConnState::Connecting if self.state != BrokerState::Connected => {
                (self.state, self.detail.clone())
            }
            ConnState::Connecting => (BrokerState::Connecting, String::new()),
            ConnState::Connected => (BrokerState::Connected, String::new()),
            ConnState::Restricted { refused } => (BrokerState::Connected, cut(&named(&refused))),
            ConnState::Unreachable { reason } => (BrokerState::Unreachable, cut(&reason)),
            ConnState::BadCredentials => {
                (BrokerState::BadCredentials, "It refuses the user name or the password.".into())
            }
            ConnState::BadCertificate { reason, fingerprint } => {
                let print =
                    fingerprint.map(|f| format!(" Its SHA-256 fingerprint is {f}.")).unwrap_or_default();
                (BrokerState::BadCertificate, format!("{}.{print}", cut(reason.trim_end_matches('.'))))
            }
            ConnState::Disabled => (BrokerState::Disabled, String::new()),
        };
        if state != self.state {
            self.since = now;
        }
        self.state = state;
        self.detail = detail;
        if state == BrokerState::Connected {
            self.silent_since = None;
            self.was_connected = true;
        } else {
            self.silent_since.get_or_insert(now);
        }
    }

    pub(super) fn notice(&self, now: UnixMillis, zone: &TimeZone) -> Option<Notice> {
        let host = cut(&self.doc.host);
        let missing = match self.silent_since {
            Some(since) if self.was_connected => {
                format!("Readings are missing since {}.", clock_time(since, now, zone))
            }
            _ => "No readings come from it.".to_owned(),
        };
        let found = self.origin == BrokerOrigin::Found;
        let (code, severity, words) = match self.state {
            BrokerState::Connected if !self.detail.is_empty() => (
                NoticeCode::BrokerRefusesTopics,
                Severity::Warning,
                format!(
                    "The broker at {host} does not let Hearthwatt listen to {}. Meters that publish there are not \
                     heard. Allow it to read these topics in the broker's access list.",
                    self.detail
                ),
            ),
            BrokerState::Connecting | BrokerState::Connected | BrokerState::Disabled => return None,
            BrokerState::Unreachable => (
                NoticeCode::BrokerUnreachable,
                if found && !self.was_connected { Severity::Info } else { Severity::Warning },
                format!(
                    "The broker at {host} can't be reached ({}). {missing} Hearthwatt keeps trying: check that it \
                     is switched on and on this network.",
                    self.detail.trim_end_matches('.')
                ),
            ),
            BrokerState::BadCredentials if found => (
                NoticeCode::BrokerBadCredentials,
                Severity::Info,
                format!(
                    "The broker found at {host} wants a password. Enter it in Home > Brokers to read its meters."
                ),
            ),
            BrokerState::BadCredentials => (
                NoticeCode::BrokerBadCredentials,
                Severity::Error,
                format!(
                    "The broker at {host} refuses the password. {missing} Check the password in Home > Brokers."
                ),
            ),
            BrokerState::BadCertificate => (
                NoticeCode::BrokerBadCertificate,
                Severity::Error,
                format!(
                    "The certificate of the broker at {host} is not one this computer trusts. {missing} {} Give the \
                     certificate of its authority in Home > Brokers.",
                    self.detail
                ),
            ),
        };
        Some(Notice {
            broker: Some(self.doc.id),
            about: host,
            detail: self.detail.clone(),
            ..health::notice(code, severity, self.since, words)
        })
    }
}

/// The first of them, and how many more there are.
fn named(topics: &[String]) -> String {
    let mut words = topics.iter().take(TOPICS_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if let Some(more) = topics.len().checked_sub(TOPICS_NAMED).filter(|n| *n > 0) {
        words.push_str(&format!(" and {more} more"));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::BrokerDoc;
    use hearthwatt_domain::ids::BrokerId;

    fn entry(origin: BrokerOrigin) -> Entry {
        let doc = BrokerDoc {
            id: BrokerId::derive(&["b"]),
            host: "192.168.1.4".into(),
            port: 1883,
            tls: false,
            ca_pem: String::new(),
            username: "u".into(),
            ignored: false,
        };
        Entry::new(doc, Some("hunter2".into()), origin, UnixMillis(0))
    }

    #[test]
    fn a_refused_password_is_told_with_the_time_and_what_to_do() {
        let zone = TimeZone::get("Europe/Vienna").unwrap();
        let at = UnixMillis(1_772_542_920_000); // 14:02 in Vienna
        let mut entry = entry(BrokerOrigin::Manual);
        entry.is(ConnState::Connected, UnixMillis(1));
        entry.is(ConnState::Unreachable { reason: "connection refused".into() }, at);
        entry.is(ConnState::Connecting, at.plus_ms(500));
        entry.is(ConnState::BadCredentials, at.plus_ms(1_000));
        let notice = entry.notice(at.plus_ms(1_000), &zone).unwrap();
        assert_eq!(
            notice.message,
            "The broker at 192.168.1.4 refuses the password. Readings are missing since 14:02. Check the password \
             in Home > Brokers."
        );
        assert_eq!(notice.code, NoticeCode::BrokerBadCredentials);
        entry.is(ConnState::Connected, at.plus_ms(2_000));
        assert_eq!(entry.notice(at.plus_ms(2_000), &zone), None);
    }

    #[test]
    fn refused_topics_are_named_while_the_rest_is_heard() {
        let mut entry = entry(BrokerOrigin::Manual);
        let refused = ["a/#", "b", "c", "d"].map(str::to_owned).to_vec();
        entry.is(ConnState::Restricted { refused }, UnixMillis(5));
        assert_eq!((entry.state, entry.silent_since), (BrokerState::Connected, None));
        let notice = entry.notice(UnixMillis(5), &TimeZone::UTC).unwrap();
        assert_eq!(notice.code, NoticeCode::BrokerRefusesTopics);
        assert!(notice.message.contains("listen to a/#, b, c and 1 more. "), "{}", notice.message);
        entry.is(ConnState::Connected, UnixMillis(6));
        assert_eq!(entry.notice(UnixMillis(6), &TimeZone::UTC), None);
    }

    #[test]
    fn trying_again_does_not_hide_the_trouble() {
        let mut entry = entry(BrokerOrigin::Manual);
        entry.is(ConnState::Unreachable { reason: "no route".into() }, UnixMillis(5));
        entry.is(ConnState::Connecting, UnixMillis(6));
        assert_eq!((entry.state, entry.since), (BrokerState::Unreachable, UnixMillis(5)));
    }
}
