//! The events that say a photo has arrived.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The topic to which `verify` publishes; the key is the user id.
pub const FACES_TOPIC: &str = "faces";
/// The topic to which the object store publishes its own notifications.
pub const PHOTO_UPLOADS_TOPIC: &str = "photo-uploads";
/// Where messages end that can never succeed.
pub const DEAD_LETTER_TOPIC: &str = "faces.dead-letter";

/// The CloudEvents `type` of [`PhotoUploaded`].
pub const PHOTO_UPLOADED_TYPE: &str = "photo.uploaded.v1";
/// The CloudEvents `source` of [`PhotoUploaded`].
pub const PHOTO_UPLOADED_SOURCE: &str = "/auth-service/verify";

/// The data of a `photo.uploaded.v1` event. It carries the key, never the photo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoUploaded {
    pub verification_id: Uuid,
    pub user_id: i64,
    pub bucket: String,
    pub path: String,
}

/// An object store's bucket notification: S3's event message structure 2.x, as MinIO's Kafka target writes it.
/// Only the members that are used are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BucketNotification {
    pub records: Vec<BucketRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketRecord {
    /// For example `s3:ObjectCreated:Put` (MinIO) or `ObjectCreated:Put` (AWS).
    #[serde(rename = "eventName")]
    pub event_name: String,
    pub s3: BucketEntity,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketEntity {
    pub bucket: BucketName,
    pub object: ObjectEntity,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketName {
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectEntity {
    /// Percent-encoded as in a query string, so that `/` may arrive as `%2F` and a space as `+`.
    pub key: String,
}
