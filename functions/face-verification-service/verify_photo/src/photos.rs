//! Which photos an event announces.

use contract::{
    event::{BucketNotification, PHOTO_UPLOADED_TYPE, PhotoUploaded},
    verification::parse_photo_path,
};
use host::{Event, EventError, KAFKA_RECORD_TYPE};
use uuid::Uuid;

/// A photo by what its key says; whether that is true, the database knows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Photo {
    pub(crate) user_id: i64,
    pub(crate) verification_id: Uuid,
}

/// The photos in `bucket` that `event` announces: one for `verify`'s own event, one for each record of a bucket
/// notification, none for a notification of something else.
pub(crate) fn announced_by(event: &Event, bucket: &str) -> Result<Vec<Photo>, EventError> {
    match event.kind.as_str() {
        PHOTO_UPLOADED_TYPE => {
            let data: PhotoUploaded = serde_json::from_slice(&event.data)
                .map_err(|_| never("the data is not that of a photo.uploaded.v1"))?;
            let photo = photo(&data.path)?;
            let consistent = (data.user_id, data.verification_id) == (photo.user_id, photo.verification_id);
            match consistent && data.bucket == bucket {
                true => Ok(vec![photo]),
                false => Err(never("the path is not that of the verification it names")),
            }
        }
        KAFKA_RECORD_TYPE => {
            let notification: BucketNotification = serde_json::from_slice(&event.data)
                .map_err(|_| never("the data is not a bucket notification"))?;
            let created = notification.records.iter().filter(|record| {
                record.event_name.contains("ObjectCreated:") && record.s3.bucket.name == bucket
            });
            created.map(|record| photo(&decoded(&record.s3.object.key))).collect()
        }
        _ => Err(never("the event is of a type that is not known here")),
    }
}

/// Object keys in notifications are encoded as in a query string.
fn decoded(key: &str) -> String {
    form_urlencoded::parse(key.as_bytes()).next().map(|(key, _)| key.into_owned()).unwrap_or_default()
}

fn photo(path: &str) -> Result<Photo, EventError> {
    let (user_id, verification_id) =
        parse_photo_path(path).ok_or_else(|| never("the key is not that of a photo"))?;
    Ok(Photo { user_id, verification_id })
}

fn never(reason: &str) -> EventError {
    EventError::Never(reason.to_owned())
}
