//! What alerts are about.

use serde::{Deserialize, Serialize};

use super::alert::Severity;

/// How many kinds are ratios: the first ones of [`AlertKind::ALL`].
pub(crate) const RATIOS: usize = 2;

/// What an alert is about. Checkpoints keep them by their places: new ones go to the end.
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
    /// A single message that a person must read.
    Severe,
}

impl AlertKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::NegativeSentiment,
        Self::Frustration,
        Self::VolumeSurge,
        Self::Silence,
        Self::CompanyWide,
        Self::Severe,
    ];

    /// The kinds that a department is tested for: the first ones of [`Self::ALL`].
    pub const TESTED: [Self; 4] = [Self::NegativeSentiment, Self::Frustration, Self::VolumeSurge, Self::Silence];

    /// Whether it is about a department, not about the company.
    #[must_use]
    pub fn is_of_department(self) -> bool {
        self != Self::CompanyWide
    }

    /// Whether it comes of a test: one message is none, and has neither a probability nor an expected ratio.
    #[must_use]
    pub fn is_tested(self) -> bool {
        self != Self::Severe
    }

    /// How urgent its alerts are.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::NegativeSentiment | Self::Frustration | Self::VolumeSurge | Self::Silence | Self::CompanyWide => {
                Severity::Page
            }
            Self::Severe => Severity::Ticket,
        }
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
            Self::Severe => "severe",
        }
    }
}
