//! When a wave stops by itself: too many of its mails come back, are complained about, or cannot be sent.
//!
//! Counts nothing. Invariant: the same counts give the same answer, and a wave of which little is settled goes on.

use serde::{Deserialize, Serialize};

/// `[sending.stop]`: shares of the settled mails of a wave at which it stops, in per cent; 100 = never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Before so many mails are settled no share counts, 1 or more; in a pilot, which may have fewer, two of a kind are
    /// enough. Too low: the first refusal stops a wave. Too high: many have left before anything does.
    pub least: i64,
    /// Refused for good, at once or by a later report. Too low: an old directory stops every wave. Too high: receivers
    /// take the sender for somebody who guesses addresses.
    pub bounced_percent: i64,
    /// Refused as spam or by policy, for good or for now and more than once. Too high: a block list is found out by
    /// everybody's mail.
    pub spam_percent: i64,
    /// Organisations that say that the notice is not theirs. Too high: a wrong mapping is told to everybody.
    pub wrong_recipient_percent: i64,
    /// Complaints that receiving systems report.
    pub complaints_percent: i64,
    /// Given up by us, because they could not be written or were tried in vain.
    pub failed_percent: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            least: 20,
            bounced_percent: 10,
            spam_percent: 5,
            wrong_recipient_percent: 5,
            complaints_percent: 2,
            failed_percent: 2,
        }
    }
}

/// So many mails of a pilot with the same trouble are no accident.
const FEW: i64 = 2;

/// Whether a wave is there to find trouble with few.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// It is not.
    #[default]
    Wave,
    /// It is.
    Pilot,
}

/// What became of a wave's mails since it began or was let go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Whether it is a pilot.
    pub size: Size,
    /// Accepted, bounced or failed, or refused as spam for now and more than once.
    pub settled: i64,
    /// Refused for good.
    pub bounced: i64,
    /// Refused as spam or by policy: of the bounced, and of those that were refused for now more than once.
    pub spam: i64,
    /// Organisations that say that it is not theirs.
    pub wrong_recipient: i64,
    /// Complaints.
    pub complaints: i64,
    /// Given up by us.
    pub failed: i64,
}

impl Rules {
    /// Each kind of trouble: what it is called, how often it was, and the share that is borne.
    fn kinds(&self, counts: &Counts) -> [(&'static str, i64, i64); 5] {
        [
            ("were refused as spam or by policy", counts.spam, self.spam_percent),
            ("were refused for good", counts.bounced, self.bounced_percent),
            ("could not be sent", counts.failed, self.failed_percent),
            ("were complained about", counts.complaints, self.complaints_percent),
            ("are not the reader's, as they say", counts.wrong_recipient, self.wrong_recipient_percent),
        ]
    }

    /// Why a wave stops, in words; `None` = it goes on.
    pub fn broken(&self, counts: &Counts) -> Option<String> {
        let is_enough = counts.settled >= self.least.max(1);
        let counts_already = |count: i64| is_enough || (counts.size == Size::Pilot && count >= FEW);
        let is_broken = |count: i64, percent: i64| counts_already(count) && count * 100 > percent * counts.settled;
        let (what, count, percent) =
            self.kinds(counts).into_iter().find(|(_, count, percent)| is_broken(*count, *percent))?;
        let settled = counts.settled;
        Some(format!("{count} of {settled} settled mails {what}: more than {percent} %"))
    }

    /// With so much trouble no rule is broken once this many mails are settled: nobody needs to count further.
    pub fn enough_settled(&self, counts: &Counts) -> i64 {
        let share = |(_, count, percent): (_, i64, i64)| count * 100 / percent.max(1) + 1;
        self.kinds(counts).into_iter().map(share).max().unwrap_or(0).max(self.least)
    }
}

/// Words of servers that refuse what looks like spam, in lower case. A status of 5.7.x or 4.7.x says it too.
const SPAM_WORDS: [&str; 12] = [
    "spam",
    "junk",
    "unsolicited",
    "blocklist",
    "block list",
    "blacklist",
    "black list",
    "listed at",
    "dnsbl",
    "reputation",
    "blocked",
    "bulk mail",
];

/// Words of servers that put off whoever comes for the first time, in lower case. It is no judgement.
const GREYLIST_WORDS: [&str; 5] = ["greylist", "graylist", "grey list", "gray list", "postgrey"];

/// Whether a refusal is about what the sender or the mail looks like, and not about the recipient; for good, or for now
/// and not only because nobody knows us yet.
pub fn reads_as_spam(reply: &str) -> bool {
    let status = |word: &str| {
        // `421-4.7.0` is how some write the code before it.
        let word = word.rsplit('-').next().unwrap_or_default();
        let mut parts = word.trim_matches(|c: char| !c.is_ascii_digit()).split('.');
        matches!(parts.next(), Some("4" | "5"))
            && parts.next() == Some("7")
            && parts.next().is_some_and(|detail| detail.parse::<u16>().is_ok())
            && parts.next().is_none()
    };
    // An address may be called anything.
    let lower = reply.to_lowercase();
    let said: Vec<&str> = lower.split_whitespace().filter(|word| !word.contains('@')).collect();
    if GREYLIST_WORDS.iter().any(|word| lower.contains(word)) {
        return false;
    }
    let text = said.join(" ");
    said.into_iter().any(status) || SPAM_WORDS.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(counts: Counts, expect: Option<&str>) {
        let broken = Rules::default().broken(&counts);
        assert_eq!(broken.is_some(), expect.is_some(), "{counts:?}: {broken:?}");
        assert!(broken.unwrap_or_default().contains(expect.unwrap_or_default()));
    }

    #[test]
    fn a_share_above_its_limit_stops_a_wave_and_one_at_it_does_not() {
        let of = |settled| Counts { settled, ..Counts::default() };
        check(Counts { bounced: 10, ..of(100) }, None);
        check(Counts { bounced: 11, ..of(100) }, Some("11 of 100 settled mails were refused for good: more than 10 %"));
        check(Counts { bounced: 6, spam: 6, ..of(100) }, Some("spam"));
        check(Counts { complaints: 3, ..of(100) }, Some("complained"));
        check(Counts { wrong_recipient: 6, ..of(100) }, Some("not the reader's"));
        check(Counts { failed: 3, ..of(100) }, Some("could not be sent"));
    }

    #[test]
    fn before_enough_is_settled_nothing_stops_a_wave() {
        check(Counts { settled: 19, bounced: 19, ..Counts::default() }, None);
        check(Counts { settled: 20, bounced: 20, ..Counts::default() }, Some("20 of 20"));
    }

    #[test]
    fn two_of_a_kind_stop_a_pilot_of_few() {
        let pilot = |settled| Counts { size: Size::Pilot, settled, ..Counts::default() };
        check(Counts { bounced: 1, ..pilot(2) }, None);
        check(Counts { bounced: 2, ..pilot(10) }, Some("2 of 10 settled mails were refused for good"));
        check(Counts { spam: 2, bounced: 2, ..pilot(3) }, Some("as spam"));
        check(Counts { wrong_recipient: 2, ..pilot(19) }, Some("not the reader's"));
        // Of many it is a share of many.
        check(Counts { bounced: 2, ..pilot(40) }, None);
    }

    #[test]
    fn a_limit_of_a_hundred_per_cent_is_none() {
        let never = Rules { bounced_percent: 100, spam_percent: 100, ..Rules::default() };
        let all = Counts { settled: 50, bounced: 50, spam: 50, ..Counts::default() };
        assert_eq!(never.broken(&all), None);
    }

    #[test]
    fn what_is_counted_no_further_breaks_no_rule() {
        for bad in 0..60 {
            let counts = Counts { bounced: bad, spam: bad / 2, complaints: bad / 10, ..Counts::default() };
            let enough = Rules::default().enough_settled(&counts);
            for settled in enough..enough + 50 {
                assert_eq!(Rules::default().broken(&Counts { settled, ..counts }), None, "{counts:?}");
            }
        }
    }

    #[test]
    fn spam_is_told_apart_from_unknown_recipients() {
        for spam in [
            "refused by the server at RCPT: 550 5.7.1 Service unavailable",
            "reported later (inb_1): 5.7.26 unauthenticated",
            "554 Message rejected: looks like SPAM",
            "550 Blocked, see https://lists.example/",
            "refused by the server at DATA: 421 4.7.0 unusual rate of mail from your address",
            "421-4.7.28 our system has detected an unusual rate",
        ] {
            assert!(reads_as_spam(spam), "{spam}");
        }
        for other in [
            "550 5.1.1 no such person here",
            "550 5.1.1 <spam-desk@x.example>: unknown",
            "550 unknown user reputation@blocked.example",
            "450 4.7.1 <a@x.example>: Recipient address rejected: Greylisted, try again in 5 minutes",
            "451 4.7.1 greylisting in action",
            "450 4.2.0 mailbox busy",
            "552 5.2.2 mailbox full",
            "550 15.7.1.2",
            "554 5.7 x",
            "",
        ] {
            assert!(!reads_as_spam(other), "{other}");
        }
    }
}
