//! What is wrong right now. One notice per code, broker and meter; telling the same again keeps
//! its beginning.

use crate::limits::NOTICE_LINGER_MS;
use hearthwatt_api::{Notice, NoticeCode, Severity};
use hearthwatt_domain::ids::{BrokerId, MeterId};
use hearthwatt_domain::time::UnixMillis;

#[derive(Default)]
pub(crate) struct Health {
    notices: Vec<Entry>,
}

struct Entry {
    notice: Notice,
    /// `None`: stands until it is taken back.
    until: Option<UnixMillis>,
}

impl Health {
    /// Shows a notice until [`Health::clear`]. Whether the list changed.
    pub(crate) fn raise(&mut self, notice: Notice) -> bool {
        self.put(notice, None)
    }

    /// Shows a notice about something that happened and is over.
    pub(crate) fn mention(&mut self, notice: Notice, now: UnixMillis) -> bool {
        self.put(notice, Some(now.plus_ms(NOTICE_LINGER_MS)))
    }

    fn put(&mut self, mut notice: Notice, until: Option<UnixMillis>) -> bool {
        let key = key(&notice);
        let Some(entry) = self.notices.iter_mut().find(|e| self::key(&e.notice) == key) else {
            self.notices.push(Entry { notice, until });
            return true;
        };
        if until.is_none() {
            notice.since = entry.notice.since;
        }
        entry.until = until;
        let changed = entry.notice != notice;
        entry.notice = notice;
        changed
    }

    pub(crate) fn clear(
        &mut self,
        code: NoticeCode,
        broker: Option<BrokerId>,
        meter: Option<MeterId>,
    ) -> bool {
        self.drop_if(|n| key(n) == (code, broker, meter))
    }

    pub(crate) fn clear_broker(&mut self, broker: BrokerId) -> bool {
        self.drop_if(|n| n.broker == Some(broker))
    }

    /// Drops what has been mentioned long enough.
    pub(crate) fn expire(&mut self, now: UnixMillis) -> bool {
        let before = self.notices.len();
        self.notices.retain(|e| e.until.is_none_or(|until| now < until));
        self.notices.len() != before
    }

    fn drop_if(&mut self, gone: impl Fn(&Notice) -> bool) -> bool {
        let before = self.notices.len();
        self.notices.retain(|e| !gone(&e.notice));
        self.notices.len() != before
    }

    /// Worst first, then oldest.
    pub(crate) fn list(&self) -> Vec<Notice> {
        let mut list: Vec<Notice> = self.notices.iter().map(|e| e.notice.clone()).collect();
        list.sort_by_key(|n| (n.severity, n.since));
        list
    }
}

fn key(n: &Notice) -> (NoticeCode, Option<BrokerId>, Option<MeterId>) {
    (n.code, n.broker, n.meter)
}

pub(crate) fn notice(
    code: NoticeCode,
    severity: Severity,
    since: UnixMillis,
    message: impl Into<String>,
) -> Notice {
    let (about, detail) = (String::new(), String::new());
    Notice { code, severity, message: message.into(), about, detail, since, broker: None, meter: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: UnixMillis = UnixMillis(1_000);

    #[test]
    fn the_same_trouble_told_twice_is_one_and_keeps_its_beginning() {
        let mut health = Health::default();
        assert!(health.raise(notice(NoticeCode::DiskFull, Severity::Error, AT, "full")));
        assert!(!health.raise(notice(NoticeCode::DiskFull, Severity::Error, UnixMillis(9_000), "full")));
        assert_eq!(health.list().len(), 1);
        assert_eq!(health.list()[0].since, AT);
        assert!(health.clear(NoticeCode::DiskFull, None, None));
        assert!(health.list().is_empty());
    }

    #[test]
    fn the_worst_comes_first_and_what_is_over_goes() {
        let mut health = Health::default();
        health.mention(notice(NoticeCode::ClockJumped, Severity::Warning, AT, "jumped"), AT);
        health.raise(notice(NoticeCode::DiskFull, Severity::Error, AT, "full"));
        assert_eq!(health.list()[0].code, NoticeCode::DiskFull);
        assert!(!health.expire(AT));
        assert!(health.expire(AT.plus_ms(NOTICE_LINGER_MS)));
        assert_eq!(health.list().len(), 1);
    }
}
