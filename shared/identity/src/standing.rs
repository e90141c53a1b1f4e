//! What must be looked up about a user on every request: kept in Redis for seconds, read from PostgreSQL on a miss.

use crate::Identity;
use cache::Cache;
use postgres::Error;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a revocation may go unnoticed at the most, when the cache could not be told of it.
const CACHED_FOR: Duration = Duration::from_secs(5);

/// The part of a user's row that decides what a token is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub name: String,
    pub is_verified: bool,
    /// Tokens of any other generation are revoked.
    pub generation: i32,
}

impl Identity {
    /// `None` when there is no such user.
    pub(crate) async fn standing(&self, user_id: i64) -> Result<Option<Standing>, Error> {
        let key = cache_key(user_id);
        if let Some(cached) = self.cache.get(&key).await.and_then(|json| serde_json::from_slice(&json).ok()) {
            return Ok(Some(cached));
        }
        let client = self.pool.client().await?;
        let statement = client
            .prepare_cached("SELECT name, is_verified, token_generation FROM users WHERE id = $1")
            .await?;
        let Some(row) = client.query_opt(&statement, &[&user_id]).await? else { return Ok(None) };
        let standing = Standing { name: row.get(0), is_verified: row.get(1), generation: row.get(2) };
        let json = serde_json::to_vec(&standing).expect("a standing is JSON");
        self.cache.set(&key, &json, CACHED_FOR).await;
        Ok(Some(standing))
    }
}

/// To be called after a user's name, verification or token generation has changed.
pub async fn forget_standing(cache: &Cache, user_id: i64) {
    cache.delete(&cache_key(user_id)).await;
}

fn cache_key(user_id: i64) -> String {
    format!("standing:{user_id}")
}
