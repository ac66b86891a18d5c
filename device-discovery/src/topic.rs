//! MQTT topics and filters (MQTT 3.1.1, section 4.7).

/// Whether `filter` (with `+` and `#`) matches `topic`. Topics that begin with `$` match only
/// filters that do so too.
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') != filter.starts_with('$') {
        return false;
    }
    let mut have = topic.split('/');
    for want in filter.split('/') {
        if want == "#" {
            return true;
        }
        match have.next() {
            Some(level) if want == "+" || want == level => {}
            None | Some(_) => return false,
        }
    }
    have.next().is_none()
}

/// A topic that can be subscribed to as it stands: not empty, no wildcard, no control character.
pub(crate) fn is_plain(topic: &str) -> bool {
    !topic.is_empty()
        && topic.len() <= crate::limits::MAX_TOPIC
        && !topic.chars().any(|c| c == '+' || c == '#' || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_the_standard_says() {
        for (filter, topic, want) in [
            ("a/#", "a/b/c", true),
            ("a/+/c", "a/b/c", true),
            ("a/+", "a/b/c", false),
            ("+", "a", true),
            ("#", "$SYS/x", false),
            ("a/b", "a/b", true),
            ("a/b/c", "a/b", false),
        ] {
            assert_eq!(matches(filter, topic), want, "{filter} {topic}");
        }
    }
}
