//! What alerts are about.

use serde::{Deserialize, Serialize};

/// How many kinds are ratios: the first ones of [`AlertKind::ALL`].
pub(crate) const RATIOS: usize = 2;

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// More negative messages than expected.
    NegativeSentiment,
    /// More frustrated messages than expected.
    Frustration,
    /// More messages than expected.
    VolumeSurge,
    /// Customers who usually write have stopped.
    Silence,
    /// Many departments have turned unhappy at once.
    CompanyWide,
}

impl AlertKind {
    /// Every kind.
    pub const ALL: &'static [Self] =
        &[Self::NegativeSentiment, Self::Frustration, Self::VolumeSurge, Self::Silence, Self::CompanyWide];

    /// The kinds that a department is tested for: the first ones of [`Self::ALL`].
    pub const TESTED: [Self; 4] = [Self::NegativeSentiment, Self::Frustration, Self::VolumeSurge, Self::Silence];

    /// Whether it is about a department, not about the company.
    #[must_use]
    pub fn is_of_department(self) -> bool {
        self != Self::CompanyWide
    }

    /// The name used in labels, JSON and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NegativeSentiment => "negative_sentiment",
            Self::Frustration => "frustration",
            Self::VolumeSurge => "volume_surge",
            Self::Silence => "silence",
            Self::CompanyWide => "company_wide",
        }
    }
}
