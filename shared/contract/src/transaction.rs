//! Bodies of `create`: money moves in integers of the minor unit.

use garde::Validate;
use serde::{Deserialize, Serialize};

/// The longest `Idempotency-Key` that is kept, in characters.
pub const IDEMPOTENCY_KEY_MAX_CHARS: usize = 255;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum TransactionType {
    /// Money in. The replaced system's word is accepted as the same.
    #[serde(alias = "Пополнение")]
    Deposit,
    /// Money out. The replaced system's word is accepted as the same.
    #[serde(alias = "Снятие")]
    Withdrawal,
}

impl TransactionType {
    /// The row of the table `transaction_type`.
    pub const fn id(self) -> i16 {
        match self {
            Self::Deposit => 1,
            Self::Withdrawal => 2,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
        }
    }

    pub fn from_id(id: i16) -> Option<Self> {
        [Self::Deposit, Self::Withdrawal].into_iter().find(|t| t.id() == id)
    }
}

#[derive(Debug, Clone, Deserialize, Validate)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateRequest {
    /// In minor units (cents), greater than 0.
    #[garde(range(min = 1))]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, example = 1500))]
    pub amount: i64,
    #[garde(skip)]
    pub transaction_type: TransactionType,
    /// Accepted for older clients; it must be the token's own user.
    #[garde(skip)]
    #[serde(default)]
    pub user_id: Option<i64>,
}

/// One transaction, as `create` and `report` show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransactionBody {
    pub id: i64,
    pub user_id: i64,
    /// In minor units, always greater than 0: the type says the direction.
    pub amount: i64,
    pub transaction_type: TransactionType,
    pub transaction_type_id: i16,
    /// RFC 3339, UTC.
    pub date: jiff::Timestamp,
    /// The balance after this transaction, in minor units; only `create` tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<i64>,
}
