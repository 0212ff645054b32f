//! What a fault means for the mail in hand.
//!
//! Decides no state and no time of the next try (`model` does). Invariant: a route that is down uses up no try, and
//! once the final dot may have left nothing but an explicit refusal is taken for a refusal.

use mail::smtp::{Fault, FaultKind, Phase};
use model::delivery::Outcome;

/// What becomes of a mail that did not get through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes back untouched: the route is what is wrong.
    GiveBack,
    /// The try ended.
    Ended(Outcome),
}

/// Of a fault before `at_dot` was recorded.
pub(super) fn before_dot(fault: &Fault) -> Fate {
    if is_of_route(fault) { Fate::GiveBack } else { Fate::Ended(definite(fault)) }
}

/// Of a fault after `at_dot` was recorded: the row says that a try began, so it ends as one.
pub(super) fn after_dot(fault: &Fault) -> Outcome {
    match fault.kind {
        FaultKind::Refused { .. } | FaultKind::Unsendable => definite(fault),
        _ if fault.past_dot => Outcome::Uncertain,
        _ => Outcome::Transient,
    }
}

/// Whether a fresh connection is worth a second try at once: servers close connections that they find old or busy
/// enough, at any moment and without it meaning anything for the mail.
pub(super) fn is_of_connection(fault: &Fault) -> bool {
    !fault.past_dot && (is_of_route(fault) || matches!(fault.kind, FaultKind::Lost | FaultKind::Protocol))
}

/// 421 to a recipient or to DATA can be about this mail alone: taken for the route's, one mail could stop all others.
fn is_of_route(fault: &Fault) -> bool {
    let closes_on_this_mail =
        matches!(fault.phase, Phase::Rcpt | Phase::Data) && fault.reply.as_ref().is_some_and(|reply| reply.code == 421);
    fault.route_down && !closes_on_this_mail
}

fn definite(fault: &Fault) -> Outcome {
    match fault.kind {
        FaultKind::Refused { permanent: true } | FaultKind::Unsendable => Outcome::Permanent,
        FaultKind::Refused { permanent: false }
        | FaultKind::Lost
        | FaultKind::TimedOut
        | FaultKind::Protocol
        | FaultKind::Tls => Outcome::Transient,
    }
}

#[cfg(test)]
mod tests {
    use mail::reply::Reply;

    use super::*;

    fn fault(phase: Phase, kind: FaultKind) -> Fault {
        let (past_dot, route_down) = (phase == Phase::Dot, phase <= Phase::Auth);
        Fault { phase, kind, reply: None, past_dot, route_down, detail: String::new() }
    }

    fn refused(phase: Phase, code: u16) -> Fault {
        let reply = Reply { code, enhanced: None, text: String::new() };
        let route_down = phase <= Phase::Auth || matches!(code, 421 | 530 | 538);
        let kind = FaultKind::Refused { permanent: code >= 500 };
        Fault { reply: Some(reply), route_down, ..fault(phase, kind) }
    }

    const LOST: FaultKind = FaultKind::Lost;
    const TIMED_OUT: FaultKind = FaultKind::TimedOut;

    #[test]
    fn before_the_dot_a_refusal_is_as_its_code_says_and_a_loss_comes_again() {
        let check = |fault: Fault, expect: Outcome| assert_eq!(before_dot(&fault), Fate::Ended(expect), "{fault:?}");
        check(refused(Phase::Mail, 550), Outcome::Permanent);
        check(refused(Phase::Rcpt, 550), Outcome::Permanent);
        check(refused(Phase::Rcpt, 450), Outcome::Transient);
        check(refused(Phase::Data, 452), Outcome::Transient);
        check(fault(Phase::Rcpt, LOST), Outcome::Transient);
        check(fault(Phase::Data, TIMED_OUT), Outcome::Transient);
        check(fault(Phase::Mail, FaultKind::Protocol), Outcome::Transient);
        check(fault(Phase::Rcpt, FaultKind::Unsendable), Outcome::Permanent);
    }

    #[test]
    fn a_route_that_is_down_uses_up_no_try() {
        let check = |fault: Fault| assert_eq!(before_dot(&fault), Fate::GiveBack, "{fault:?}");
        check(fault(Phase::Connect, LOST));
        check(fault(Phase::Connect, TIMED_OUT));
        check(fault(Phase::StartTls, FaultKind::Tls));
        check(refused(Phase::Greeting, 554));
        check(refused(Phase::Auth, 535));
        check(refused(Phase::Mail, 421));
        check(refused(Phase::Rcpt, 530));
        check(fault(Phase::Ehlo, FaultKind::Unsendable));
    }

    #[test]
    fn one_recipient_answered_with_421_does_not_stop_the_others() {
        assert_eq!(before_dot(&refused(Phase::Rcpt, 421)), Fate::Ended(Outcome::Transient));
        assert_eq!(before_dot(&refused(Phase::Data, 421)), Fate::Ended(Outcome::Transient));
    }

    #[test]
    fn past_the_dot_only_a_refusal_is_definite() {
        let check = |fault: Fault, expect: Outcome| assert_eq!(after_dot(&fault), expect, "{fault:?}");
        check(refused(Phase::Dot, 550), Outcome::Permanent);
        check(refused(Phase::Dot, 451), Outcome::Transient);
        check(refused(Phase::Dot, 421), Outcome::Transient);
        check(fault(Phase::Dot, LOST), Outcome::Uncertain);
        check(fault(Phase::Dot, TIMED_OUT), Outcome::Uncertain);
        check(fault(Phase::Dot, FaultKind::Protocol), Outcome::Uncertain);
        check(fault(Phase::Body, LOST), Outcome::Transient);
        check(fault(Phase::Body, TIMED_OUT), Outcome::Transient);
        check(fault(Phase::Body, FaultKind::Unsendable), Outcome::Permanent);
    }

    #[test]
    fn only_what_cannot_have_arrived_is_tried_on_another_connection() {
        assert!(is_of_connection(&fault(Phase::Mail, LOST)));
        assert!(is_of_connection(&refused(Phase::Mail, 421)));
        assert!(!is_of_connection(&fault(Phase::Dot, LOST)));
        assert!(!is_of_connection(&fault(Phase::Data, TIMED_OUT)));
        assert!(!is_of_connection(&refused(Phase::Rcpt, 550)));
    }
}
