//! The fault rules at work: what counts down, and what stays switched on.

use std::time::Duration;

use jiff::SignedDuration;

use super::faults::{Fault, FaultRule, NormalForm, Operation, PageTrick, Switch};
use super::lifecycle::Quirks;

/// Lasting departures from the defaults. All off unless a rule says so; which default stands for which open question
/// about the real service is said at the rule, see [`super::FAULTS`].
#[derive(Debug, Clone, Default)]
pub(super) struct Switches {
    pub(super) lag: SignedDuration,
    pub(super) max_limit: Option<u64>,
    pub(super) still_listed: bool,
    pub(super) no_content: bool,
    pub(super) unknown_is_400: bool,
    pub(super) quirks: Quirks,
    pub(super) slots: Option<u64>,
    pub(super) concurrent: Option<u64>,
    pub(super) pal_conflict: bool,
    pub(super) pal_envelope: bool,
    pub(super) names: Option<NormalForm>,
    pub(super) callback_drop: bool,
    pub(super) callback_repeat: bool,
    pub(super) callback_reorder: bool,
    pub(super) callback_new_words: bool,
}

/// What is to happen to one request.
#[derive(Debug, Default)]
pub(super) struct Treatment {
    /// How long its answer waits.
    pub(super) slow: Duration,
    /// The first other fault that applies.
    pub(super) fault: Option<Fault>,
    pub(super) pages: Option<PageTrick>,
}

/// All rules, each with the number of requests it has seen.
#[derive(Debug, Default)]
pub(super) struct Script {
    rules: Vec<(FaultRule, u64)>,
    switches: Switches,
}

impl Script {
    pub(super) fn new(rules: Vec<FaultRule>) -> Self {
        let mut switches = Switches::default();
        for rule in &rules {
            if let Fault::Switch(switch) = &rule.fault {
                switches.turn_on(switch.clone());
            }
        }
        Self { rules: rules.into_iter().map(|rule| (rule, 0)).collect(), switches }
    }

    pub(super) fn switches(&self) -> &Switches {
        &self.switches
    }

    /// Counts a request and says how it is to be treated. Where several rules apply, delays add up, and of the rest
    /// the first counts.
    pub(super) fn treat(&mut self, operation: Operation) -> Treatment {
        let mut treatment = Treatment::default();
        for (rule, seen) in &mut self.rules {
            if rule.operation != operation && rule.operation != Operation::Any {
                continue;
            }
            *seen += 1;
            if rule.window.is_some_and(|(first, last)| *seen < first || last < *seen) {
                continue;
            }
            match &rule.fault {
                Fault::Switch(_) => {}
                Fault::Slow(by) => treatment.slow += *by,
                Fault::Pages(trick) => treatment.pages = treatment.pages.or(Some(*trick)),
                other if treatment.fault.is_none() => treatment.fault = Some(other.clone()),
                _ => {}
            }
        }
        treatment
    }
}

impl Switches {
    /// Returns a name as it is stored.
    pub(super) fn stored(&self, name: String) -> String {
        match self.names {
            Some(form) => form.of(&name),
            None => name,
        }
    }

    fn turn_on(&mut self, switch: Switch) {
        let signed = |duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        match switch {
            Switch::Lag(by) => self.lag = signed(by),
            Switch::MaxLimit(limit) => self.max_limit = Some(limit),
            Switch::StillListed => self.still_listed = true,
            Switch::NoContent => self.no_content = true,
            Switch::UnknownIs400 => self.unknown_is_400 = true,
            Switch::StatusWord(word) => self.quirks.started_word = Some(word),
            Switch::Gap(length) => self.quirks.gap = signed(length),
            Switch::Slots(count) => self.slots = Some(count),
            Switch::Concurrent(count) => self.concurrent = Some(count),
            Switch::PalConflict => self.pal_conflict = true,
            Switch::PalEnvelope => self.pal_envelope = true,
            Switch::Names(form) => self.names = Some(form),
            Switch::CallbackDrop => self.callback_drop = true,
            Switch::CallbackRepeat => self.callback_repeat = true,
            Switch::CallbackReorder => self.callback_reorder = true,
            Switch::CallbackNewWords => self.callback_new_words = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_counts_its_own_requests_and_no_others() {
        let rules = ["create@2:502", "any:slow=1s", "list@1-2:html"].map(|text| text.parse().unwrap());
        let mut script = Script::new(rules.into());
        assert_eq!(script.treat(Operation::Create).fault, None);
        assert_eq!(script.treat(Operation::List).fault, Some(Fault::Html { after_effect: false }));
        let second = script.treat(Operation::Create);
        assert!(matches!(second.fault, Some(Fault::Status { status: 502, .. })));
        assert_eq!(second.slow, Duration::from_secs(1));
        assert_eq!(script.treat(Operation::Create).fault, None);
    }
}
