//! A Kafka record as the HTTP request that KafkaSource makes of it (knative-extensions/eventing-kafka-broker).

use rdkafka::{
    Message,
    message::{Headers, OwnedMessage},
};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

/// The type of the event that is made of a record which is no CloudEvent itself.
const KAFKA_RECORD_TYPE: &str = "dev.knative.kafka.event";
const SPEC_VERSION: &str = "ce_specversion";
/// Attributes of a CloudEvent in the headers of a record (Kafka protocol binding, binary mode).
const ATTRIBUTE_PREFIX: &str = "ce_";

/// The headers of the request; its body is the record's value as it is.
pub(crate) fn headers(record: &OwnedMessage) -> HeaderMap {
    let record_headers: Vec<(String, Vec<u8>)> = record
        .headers()
        .map(|all| {
            all.iter()
                .map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()))
                .collect()
        })
        .unwrap_or_default();
    let is_event = record_headers.iter().any(|(name, _)| name == SPEC_VERSION);
    let mut headers = HeaderMap::new();
    if !is_event {
        describe(record, &mut headers);
    }
    for (name, value) in record_headers {
        let name = match name.strip_prefix(ATTRIBUTE_PREFIX) {
            Some(attribute) if is_event => format!("ce-{attribute}"),
            _ if name.eq_ignore_ascii_case("content-type") => CONTENT_TYPE.to_string(),
            // Extensions of CloudEvents have names of lower-case letters and digits only.
            _ => format!("ce-kafkaheader{}", alphanumeric(&name)),
        };
        insert(&mut headers, &name, &value);
    }
    if let Some(key) = record.key() {
        insert(&mut headers, "ce-key", key);
    }
    headers
}

fn describe(record: &OwnedMessage, headers: &mut HeaderMap) {
    let (topic, partition, offset) = (record.topic(), record.partition(), record.offset());
    let time = record.timestamp().to_millis().unwrap_or_default();
    for (name, value) in [
        ("ce-specversion", "1.0".to_owned()),
        ("ce-id", format!("partition:{partition}/offset:{offset}")),
        ("ce-source", format!("/apis/v1/namespaces/local/kafkasources/event-source#{topic}")),
        ("ce-type", KAFKA_RECORD_TYPE.to_owned()),
        ("ce-subject", format!("partition:{partition}#{offset}")),
        ("ce-time", rfc3339(time)),
    ] {
        insert(headers, name, value.as_bytes());
    }
}

/// A header that HTTP does not allow is left out: it says nothing that the receiver could read.
fn insert(headers: &mut HeaderMap, name: &str, value: &[u8]) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value)) {
        headers.insert(name, value);
    }
}

fn alphanumeric(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

fn rfc3339(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::headers;
    use rdkafka::{
        Timestamp,
        message::{Header, OwnedHeaders, OwnedMessage},
    };

    fn record(key: Option<&str>, record_headers: &[(&str, &[u8])]) -> OwnedMessage {
        let all = record_headers
            .iter()
            .fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(*value) }));
        let key = key.map(|key| key.as_bytes().to_vec());
        let time = Timestamp::CreateTime(1_700_000_000_000);
        OwnedMessage::new(Some(b"{}".to_vec()), key, "photo-uploads".into(), time, 3, 42, Some(all))
    }

    #[test]
    fn a_plain_record_becomes_an_event_that_names_its_place() {
        let headers = headers(&record(Some("photos/1"), &[("X-Trace_Id", b"abc")]));
        let expected = [
            ("ce-specversion", "1.0"),
            ("ce-id", "partition:3/offset:42"),
            ("ce-type", "dev.knative.kafka.event"),
            ("ce-subject", "partition:3#42"),
            ("ce-time", "2023-11-14T22:13:20Z"),
            ("ce-key", "photos/1"),
            ("ce-kafkaheaderxtraceid", "abc"),
        ];
        for (name, value) in expected {
            assert_eq!(headers[name], value, "{name}");
        }
        assert!(headers["ce-source"].to_str().expect("text").ends_with("#photo-uploads"));
        assert!(!headers.contains_key("content-type"));
    }

    #[test]
    fn a_record_that_is_an_event_passes_through_as_that_event() {
        let own: [(&str, &[u8]); 5] = [
            ("ce_specversion", b"1.0"),
            ("ce_id", b"7"),
            ("ce_type", b"photo.uploaded.v1"),
            ("ce_source", b"/s"),
            ("content-type", b"application/json"),
        ];
        let headers = headers(&record(None, &own));
        for (name, value) in
            [("ce-id", "7"), ("ce-type", "photo.uploaded.v1"), ("content-type", "application/json")]
        {
            assert_eq!(headers[name], value, "{name}");
        }
        assert!(!headers.contains_key("ce-subject") && !headers.contains_key("ce-key"));
    }

    #[test]
    fn a_header_that_http_does_not_allow_is_left_out() {
        let headers = headers(&record(Some("a\nb"), &[("x", b"1\r\n2")]));
        assert!(!headers.contains_key("ce-key") && !headers.contains_key("ce-kafkaheaderx"));
    }
}
