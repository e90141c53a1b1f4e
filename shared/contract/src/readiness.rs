//! The body of `healthz/ready`.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Readiness {
    #[cfg_attr(feature = "openapi", schema(example = "ready"))]
    pub status: String,
    pub components: Components,
}

/// What the functions depend on. Without the cache everything still answers, slower.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Components {
    /// PostgreSQL.
    pub database: Component,
    /// Redis.
    pub cache: Component,
    /// The S3-compatible object store.
    pub photos: Component,
    /// Kafka.
    pub events: Component,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Component {
    Up,
    Down,
}
