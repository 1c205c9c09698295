//! The terms of feeds of changes, and of what their readers ask.

namespace! {
    /// Activity Streams 2.0 (W3C Recommendation of 2017-05-23).
    activity = "https://www.w3.org/ns/activitystreams#" {
        CREATE = "Create",
        UPDATE = "Update",
        DELETE = "Delete",
        TOMBSTONE = "Tombstone",
        FORMER_TYPE = "formerType",
        DELETED = "deleted",
        OBJECT = "object",
        PUBLISHED = "published",
    }
}

namespace! {
    /// Linked Data Event Streams 1.0.
    ldes = "https://w3id.org/ldes#" {
        EVENT_STREAM = "EventStream",
        IMMUTABLE = "immutable",
    }
}

namespace! {
    /// TREE.
    tree = "https://w3id.org/tree#" {
        NODE = "Node",
        VIEW = "view",
        MEMBER = "member",
    }
}

namespace! {
    /// HTTP Vocabulary in RDF 1.0 (W3C Note of 2017-02-02).
    http = "http://www.w3.org/2011/http#" {
        STATUS_CODE_NUMBER = "statusCodeNumber",
    }
}
