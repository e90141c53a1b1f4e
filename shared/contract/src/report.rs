//! The body of `report`.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Deserializer, de::Error};

/// Both ends are inclusive.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReportRequest {
    #[serde(deserialize_with = "instant")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "2026-01-01T00:00:00Z"))]
    pub date_start: Timestamp,
    #[serde(deserialize_with = "instant")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "2026-12-31T23:59:59Z"))]
    pub date_end: Timestamp,
    /// Accepted for older clients; it must be the token's own user.
    #[serde(default)]
    pub user_id: Option<i64>,
}

/// Reads RFC 3339, or ISO 8601 without an offset, which means UTC.
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_instant(&text)
        .ok_or_else(|| D::Error::custom("must be a date and time such as 2026-01-31T12:00:00Z"))
}

/// See [`ReportRequest`]: RFC 3339, or naive ISO 8601 read as UTC; `None` for anything else.
pub fn parse_instant(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::parse_instant;

    #[test]
    fn offsets_are_honoured_and_naive_times_are_utc() {
        let noon = parse_instant("2026-01-31T12:00:00Z").expect("RFC 3339");
        assert_eq!(parse_instant("2026-01-31T14:00:00+02:00"), Some(noon));
        assert_eq!(parse_instant("2026-01-31T12:00:00"), Some(noon));
        assert_eq!(parse_instant("2026-01-31 12:00:00.000"), Some(noon));
        for wrong in ["", "yesterday", "2026-02-30T00:00:00Z", "1700000000", "99999-01-01T00:00:00"] {
            assert_eq!(parse_instant(wrong), None, "{wrong}");
        }
    }
}
