//! MQTT topics and filters: what is valid, and which filter takes which topic (MQTT 3.1.1, 4.7).

/// Longest topic or filter that is handled, in bytes.
pub const TOPIC_MAX_BYTES: usize = 1024;

/// A topic that a message may be published to.
pub fn is_valid_topic(topic: &str) -> bool {
    !topic.is_empty() && topic.len() <= TOPIC_MAX_BYTES && !topic.contains(['+', '#', '\0'])
}

/// A filter that may be subscribed to: `+` and `#` stand alone in their level, `#` comes last.
pub fn is_valid_filter(filter: &str) -> bool {
    if filter.is_empty() || filter.len() > TOPIC_MAX_BYTES || filter.contains('\0') {
        return false;
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let wild = level.contains(['+', '#']);
        if wild && level.len() > 1 || level == "#" && levels.peek().is_some() {
            return false;
        }
    }
    true
}

/// Whether `filter` takes `topic`. Topics that begin with `$` are the broker's own: a filter that
/// begins with a wildcard does not take them.
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    let mut filters = filter.split('/');
    loop {
        match (filters.next(), levels.next()) {
            // `a/#` takes `a` as well
            (Some("#"), _) => return true,
            (Some("+"), Some(_)) => {}
            (Some(f), Some(l)) if f == l => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_take_what_the_standard_says() {
        for (filter, topic, takes) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("a/+", "a/b", true),
            ("a/+", "a", false),
            ("a/+", "a/", true),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("#", "a/b", true),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("+", "/a", false),
            ("/+", "/a", true),
            ("+/+", "/a", true),
            ("#", "ü/b", true),
            ("ü/+", "ü/b", true),
        ] {
            assert_eq!(matches(filter, topic), takes, "{filter} on {topic}");
        }
    }

    #[test]
    fn invalid_names_are_refused() {
        for filter in ["", "a/#/b", "a#", "a/+b", "#a", "a\0"] {
            assert!(!is_valid_filter(filter), "{filter:?}");
        }
        for filter in ["#", "+", "a/#", "+/+/x", "/", "a//b"] {
            assert!(is_valid_filter(filter), "{filter:?}");
        }
        for topic in ["", "a/+", "#", "a\0b"] {
            assert!(!is_valid_topic(topic), "{topic:?}");
        }
        assert!(!is_valid_topic(&"x".repeat(TOPIC_MAX_BYTES + 1)));
    }
}
