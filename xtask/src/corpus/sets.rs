//! The closed sets that a row's fields take their values from.

/// An enum with a name for each value: the one that the rows and the tables use.
macro_rules! closed_set {
    ($(#[$note:meta])* $set:ident { $($value:ident = $name:literal),+ $(,)? }) => {
        $(#[$note])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
        pub(crate) enum $set {
            $(#[serde(rename = $name)] $value),+
        }

        impl $set {
            pub(crate) const ALL: &[Self] = &[$(Self::$value),+];

            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $name),+
                }
            }
        }
    };
}

closed_set!(Language { Es = "es", En = "en", Pt = "pt", Fr = "fr", De = "de", It = "it" });
closed_set!(Author { Customer = "customer", Agent = "agent", Bot = "bot" });
closed_set!(Sentiment { Negative = "negative", Neutral = "neutral", Positive = "positive" });
closed_set!(Channel {
    Tweet = "tweet",
    Chat = "chat",
    Email = "email",
    Review = "review",
    Survey = "survey",
    Call = "call",
});
closed_set!(Sector {
    Bank = "bank",
    Telecom = "telecom",
    Airline = "airline",
    Retail = "retail",
    Utilities = "utilities",
    Health = "health",
    Public = "public",
    Software = "software",
    Internal = "internal",
    General = "general",
});
closed_set!(
    /// Where the writer's words are from; `other` is English from elsewhere.
    Region {
        Mx = "mx",
        Es = "es",
        Ar = "ar",
        Co = "co",
        Cl = "cl",
        Pe = "pe",
        Us = "us",
        Gb = "gb",
        Other = "other",
        Br = "br",
        Pt = "pt",
        Fr = "fr",
        De = "de",
        It = "it",
    }
);
closed_set!(Split { Train = "train", Dev = "dev", Test = "test" });
closed_set!(Signal {
    HumanRequest = "human_request",
    BotLoop = "bot_loop",
    RepeatContact = "repeat_contact",
    Handoff = "handoff",
    Waiting = "waiting",
    Unresolved = "unresolved",
    ChurnThreat = "churn_threat",
    LegalThreat = "legal_threat",
    HarmThreat = "harm_threat",
    Abuse = "abuse",
    BillingDispute = "billing_dispute",
    Outage = "outage",
    Fraud = "fraud",
    Praise = "praise",
    Resolved = "resolved",
    InformationRequest = "information_request",
});

impl Region {
    /// The one language that rows of the region are written in.
    pub(crate) const fn language(self) -> Language {
        match self {
            Self::Mx | Self::Es | Self::Ar | Self::Co | Self::Cl | Self::Pe => Language::Es,
            Self::Us | Self::Gb | Self::Other => Language::En,
            Self::Br | Self::Pt => Language::Pt,
            Self::Fr => Language::Fr,
            Self::De => Language::De,
            Self::It => Language::It,
        }
    }
}
