//! Older clients say whose data they mean. They may go on saying it, as long as it is their own.

use crate::User;
use contract::Problem;

impl User {
    /// # Errors
    /// 403 when `claimed` is another user.
    pub fn must_be(&self, claimed: Option<i64>) -> Result<(), Problem> {
        match claimed {
            Some(other) if other != self.id => {
                Err(Problem::forbidden("The user_id is another user's. Leave it out, or send your own."))
            }
            _ => Ok(()),
        }
    }
}

/// The `user_id` of a query string, if it has one.
///
/// # Errors
/// 422 when it is not a whole number.
pub fn claimed_user_id(query: Option<&str>) -> Result<Option<i64>, Problem> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut claimed = None;
    for (_, value) in pairs.filter(|(name, _)| name == "user_id") {
        let user_id =
            value.parse().map_err(|_| Problem::invalid_field("user_id", "must be a whole number"))?;
        if claimed.is_some_and(|earlier| earlier != user_id) {
            return Err(Problem::invalid_field("user_id", "is given twice with different values"));
        }
        claimed = Some(user_id);
    }
    Ok(claimed)
}

#[cfg(test)]
mod tests {
    use super::claimed_user_id;

    #[test]
    fn a_query_names_one_user_or_none() {
        assert_eq!(claimed_user_id(None), Ok(None));
        assert_eq!(claimed_user_id(Some("path=a&user_id=7")), Ok(Some(7)));
        assert_eq!(claimed_user_id(Some("user_id=7&user_id=7")), Ok(Some(7)));
        assert_eq!(claimed_user_id(Some("user_id=7&user_id=8")).expect_err("two users").status, 422);
        assert_eq!(claimed_user_id(Some("user_id=seven")).expect_err("no number").status, 422);
    }
}
