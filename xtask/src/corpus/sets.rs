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

closed_set!(
    /// After the six that the scorer is made for, those that it must tell from them.
    Language {
        Es = "es",
        En = "en",
        Pt = "pt",
        Fr = "fr",
        De = "de",
        It = "it",
        Ca = "ca",
        Cs = "cs",
        Da = "da",
        Eu = "eu",
        Fi = "fi",
        Gl = "gl",
        Hr = "hr",
        Hu = "hu",
        Id = "id",
        Nb = "nb",
        Nl = "nl",
        Pl = "pl",
        Ro = "ro",
        Sv = "sv",
        Tl = "tl",
        Tr = "tr",
        Vi = "vi",
    }
);
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
    /// Where the writer's words are from; `other` is English from elsewhere, `elsewhere` is for languages that are not told apart.
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
        Elsewhere = "elsewhere",
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

impl Language {
    /// The scorer is made for these.
    pub(crate) const SUPPORTED: [Self; 6] = [Self::Es, Self::En, Self::Pt, Self::Fr, Self::De, Self::It];
}

impl Region {
    /// The one language that rows of the region are written in; none where they may be in any that the scorer is not made for.
    pub(crate) const fn language(self) -> Option<Language> {
        match self {
            Self::Mx | Self::Es | Self::Ar | Self::Co | Self::Cl | Self::Pe => Some(Language::Es),
            Self::Us | Self::Gb | Self::Other => Some(Language::En),
            Self::Br | Self::Pt => Some(Language::Pt),
            Self::Fr => Some(Language::Fr),
            Self::De => Some(Language::De),
            Self::It => Some(Language::It),
            Self::Elsewhere => None,
        }
    }
}
