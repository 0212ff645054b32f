//! The fixed words of the table: each an enum, so that a word nobody knows cannot be read.
//!
//! Does not say what they mean (that is the vocabulary). Invariant: a word is written as it is read.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$what:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $(
                #[doc = concat!("`", $word, "`.")]
                $(#[$what])*
                #[serde(rename = $word)]
                $variant,
            )+
        }

        impl $name {
            /// Every word.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The value of a word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Who tells, or is told.
    Party {
        Controller = "controller",
        Processor = "processor",
        Entity = "entity",
        FinancialEntity = "financial_entity",
        Manufacturer = "manufacturer",
        Registrant = "registrant",
        AuthorityPrivacy = "authority_privacy",
        AuthorityCyber = "authority_cyber",
        AuthorityFinancial = "authority_financial",
        AuthorityStateAg = "authority_state_ag",
        AuthorityHealth = "authority_health",
        Persons = "persons",
        Customers = "customers",
        Owner = "owner",
        Media = "media",
        CreditBureaus = "credit_bureaus",
        Investors = "investors",
        OtherOrgs = "other_orgs",
        InternalRecord = "internal_record",
    }
}

words! {
    /// What starts a clock. Events of an incident that have such a name count as it.
    ClockEvent {
        Suspected = "suspected",
        Noticed = "noticed",
        Aware = "aware",
        Discovered = "discovered",
        DiscoveredOrNotified = "discovered_or_notified",
        DeterminedBreach = "determined_breach",
        DeterminedNotifiable = "determined_notifiable",
        DeterminedMaterial = "determined_material",
        ClassifiedMajor = "classified_major",
        ReasonableGrounds = "reasonable_grounds",
        PriorStageSubmitted = "prior_stage_submitted",
        PersonsNotified = "persons_notified",
        CorrectiveMeasureAvailable = "corrective_measure_available",
        YearEnd = "year_end",
        Requested = "requested",
    }
}

words! {
    /// How a term is counted.
    DayCount {
        Hours = "continuous hours",
        Calendar = "calendar",
        /// Without Saturdays, Sundays and the national holidays of the jurisdiction. Where these are not known they are
        /// not left out, so the term ends early rather than late.
        Business = "business",
    }
}

words! {
    /// Whether an obligation is law.
    Status {
        InForce = "in force",
        Enacted = "enacted, not yet in force",
    }
}

words! {
    /// How sure a row is.
    Confidence {
        High = "high",
        Medium = "medium",
        Low = "low",
    }
}

words! {
    /// What a row was read from.
    SourceKind {
        /// The text of the law.
        Primary = "primary",
        /// What others write about it.
        Secondary = "secondary",
        /// General knowledge, to be verified.
        Unverified = "unverified",
    }
}

words! {
    /// What an element is about.
    Group {
        Who = "who",
        What = "what",
        Data = "data",
        Meaning = "meaning",
        Measures = "measures",
        Reader = "reader",
        Notice = "notice",
        Form = "form",
        Product = "product",
    }
}

words! {
    /// Who asks for an element.
    Basis {
        Law = "law",
        Product = "product",
    }
}
