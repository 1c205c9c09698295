//! Every IRI the program knows, once: one module a namespace.

/// Declares the terms of a namespace as constants.
macro_rules! namespace {
    ($(#[$doc:meta])* $module:ident = $iri:literal { $($name:ident = $local:literal),* $(,)? }) => {
        $(#[$doc])*
        #[allow(missing_docs, reason = "each constant is the term that its name spells")]
        pub mod $module {
            use oxrdf::NamedNodeRef;
            pub const NAMESPACE: &str = $iri;
            $(pub const $name: NamedNodeRef<'static> = NamedNodeRef::new_unchecked(concat!($iri, $local));)*
        }
    };
}

mod feeds;

pub use feeds::{activity, http, ldes, tree};

namespace! {
    /// RDF 1.1.
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#" {
        TYPE = "type",
        FIRST = "first",
        REST = "rest",
        NIL = "nil",
        LANG_STRING = "langString",
        JSON = "JSON",
        VALUE = "value",
    }
}

namespace! {
    /// RDF Schema 1.1.
    rdfs = "http://www.w3.org/2000/01/rdf-schema#" {
        SUB_CLASS_OF = "subClassOf",
        CLASS = "Class",
        LABEL = "label",
        COMMENT = "comment",
    }
}

namespace! {
    /// OWL 2.
    owl = "http://www.w3.org/2002/07/owl#" {
        IMPORTS = "imports",
        ONTOLOGY = "Ontology",
        CLASS = "Class",
    }
}

namespace! {
    /// XML Schema datatypes.
    xsd = "http://www.w3.org/2001/XMLSchema#" {
        STRING = "string",
        BOOLEAN = "boolean",
        DECIMAL = "decimal",
        INTEGER = "integer",
        DOUBLE = "double",
        FLOAT = "float",
        DATE = "date",
        TIME = "time",
        DATE_TIME = "dateTime",
        DATE_TIME_STAMP = "dateTimeStamp",
        G_YEAR = "gYear",
        G_YEAR_MONTH = "gYearMonth",
        G_MONTH = "gMonth",
        G_MONTH_DAY = "gMonthDay",
        G_DAY = "gDay",
        DURATION = "duration",
        DAY_TIME_DURATION = "dayTimeDuration",
        YEAR_MONTH_DURATION = "yearMonthDuration",
        BYTE = "byte",
        SHORT = "short",
        INT = "int",
        LONG = "long",
        UNSIGNED_BYTE = "unsignedByte",
        UNSIGNED_SHORT = "unsignedShort",
        UNSIGNED_INT = "unsignedInt",
        UNSIGNED_LONG = "unsignedLong",
        POSITIVE_INTEGER = "positiveInteger",
        NON_NEGATIVE_INTEGER = "nonNegativeInteger",
        NEGATIVE_INTEGER = "negativeInteger",
        NON_POSITIVE_INTEGER = "nonPositiveInteger",
        HEX_BINARY = "hexBinary",
        BASE64_BINARY = "base64Binary",
        ANY_URI = "anyURI",
        LANGUAGE = "language",
        NORMALIZED_STRING = "normalizedString",
        TOKEN = "token",
        NMTOKEN = "NMTOKEN",
        NAME = "Name",
        NC_NAME = "NCName",
    }
}

namespace! {
    /// SHACL (W3C Recommendation of 2017-07-20).
    sh = "http://www.w3.org/ns/shacl#" {
        NODE_SHAPE = "NodeShape",
        PROPERTY_SHAPE = "PropertyShape",
        VALIDATION_REPORT = "ValidationReport",
        VALIDATION_RESULT = "ValidationResult",
        CONFORMS = "conforms",
        RESULT = "result",
        FOCUS_NODE = "focusNode",
        RESULT_PATH = "resultPath",
        VALUE = "value",
        SOURCE_SHAPE = "sourceShape",
        SOURCE_CONSTRAINT_COMPONENT = "sourceConstraintComponent",
        SOURCE_CONSTRAINT = "sourceConstraint",
        RESULT_SEVERITY = "resultSeverity",
        RESULT_MESSAGE = "resultMessage",
        DETAIL = "detail",
        VIOLATION = "Violation",
        WARNING = "Warning",
        INFO = "Info",
        TARGET_NODE = "targetNode",
        TARGET_CLASS = "targetClass",
        TARGET_SUBJECTS_OF = "targetSubjectsOf",
        TARGET_OBJECTS_OF = "targetObjectsOf",
        PATH = "path",
        INVERSE_PATH = "inversePath",
        ALTERNATIVE_PATH = "alternativePath",
        ZERO_OR_MORE_PATH = "zeroOrMorePath",
        ONE_OR_MORE_PATH = "oneOrMorePath",
        ZERO_OR_ONE_PATH = "zeroOrOnePath",
        DEACTIVATED = "deactivated",
        SEVERITY = "severity",
        MESSAGE = "message",
        NAME = "name",
        DESCRIPTION = "description",
        ORDER = "order",
        GROUP = "group",
        PROPERTY = "property",
        NODE = "node",
        CLASS = "class",
        DATATYPE = "datatype",
        NODE_KIND = "nodeKind",
        MIN_COUNT = "minCount",
        MAX_COUNT = "maxCount",
        MIN_EXCLUSIVE = "minExclusive",
        MIN_INCLUSIVE = "minInclusive",
        MAX_EXCLUSIVE = "maxExclusive",
        MAX_INCLUSIVE = "maxInclusive",
        MIN_LENGTH = "minLength",
        MAX_LENGTH = "maxLength",
        PATTERN = "pattern",
        FLAGS = "flags",
        LANGUAGE_IN = "languageIn",
        UNIQUE_LANG = "uniqueLang",
        EQUALS = "equals",
        DISJOINT = "disjoint",
        LESS_THAN = "lessThan",
        LESS_THAN_OR_EQUALS = "lessThanOrEquals",
        NOT = "not",
        AND = "and",
        OR = "or",
        XONE = "xone",
        QUALIFIED_VALUE_SHAPE = "qualifiedValueShape",
        QUALIFIED_MIN_COUNT = "qualifiedMinCount",
        QUALIFIED_MAX_COUNT = "qualifiedMaxCount",
        QUALIFIED_VALUE_SHAPES_DISJOINT = "qualifiedValueShapesDisjoint",
        CLOSED = "closed",
        IGNORED_PROPERTIES = "ignoredProperties",
        HAS_VALUE = "hasValue",
        IN = "in",
        IRI = "IRI",
        BLANK_NODE = "BlankNode",
        LITERAL = "Literal",
        BLANK_NODE_OR_IRI = "BlankNodeOrIRI",
        BLANK_NODE_OR_LITERAL = "BlankNodeOrLiteral",
        IRI_OR_LITERAL = "IRIOrLiteral",
        SPARQL = "sparql",
        SELECT = "select",
        ASK = "ask",
        PREFIXES = "prefixes",
        DECLARE = "declare",
        PREFIX = "prefix",
        NAMESPACE_TERM = "namespace",
        SPARQL_CONSTRAINT = "SPARQLConstraint",
        CONSTRAINT_COMPONENT = "ConstraintComponent",
        HAS_PARAMETER = "parameter",
        OPTIONAL = "optional",
        VALIDATOR = "validator",
        NODE_VALIDATOR = "nodeValidator",
        PROPERTY_VALIDATOR = "propertyValidator",
        SPARQL_ASK_VALIDATOR = "SPARQLAskValidator",
        SPARQL_SELECT_VALIDATOR = "SPARQLSelectValidator",
        PARAMETER = "Parameter",
        SHAPE = "Shape",
        SHAPES_GRAPH = "shapesGraph",
        ENTAILMENT = "entailment",
        CLASS_CONSTRAINT_COMPONENT = "ClassConstraintComponent",
        DATATYPE_CONSTRAINT_COMPONENT = "DatatypeConstraintComponent",
        NODE_KIND_CONSTRAINT_COMPONENT = "NodeKindConstraintComponent",
        MIN_COUNT_CONSTRAINT_COMPONENT = "MinCountConstraintComponent",
        MAX_COUNT_CONSTRAINT_COMPONENT = "MaxCountConstraintComponent",
        MIN_EXCLUSIVE_CONSTRAINT_COMPONENT = "MinExclusiveConstraintComponent",
        MIN_INCLUSIVE_CONSTRAINT_COMPONENT = "MinInclusiveConstraintComponent",
        MAX_EXCLUSIVE_CONSTRAINT_COMPONENT = "MaxExclusiveConstraintComponent",
        MAX_INCLUSIVE_CONSTRAINT_COMPONENT = "MaxInclusiveConstraintComponent",
        MIN_LENGTH_CONSTRAINT_COMPONENT = "MinLengthConstraintComponent",
        MAX_LENGTH_CONSTRAINT_COMPONENT = "MaxLengthConstraintComponent",
        PATTERN_CONSTRAINT_COMPONENT = "PatternConstraintComponent",
        LANGUAGE_IN_CONSTRAINT_COMPONENT = "LanguageInConstraintComponent",
        UNIQUE_LANG_CONSTRAINT_COMPONENT = "UniqueLangConstraintComponent",
        EQUALS_CONSTRAINT_COMPONENT = "EqualsConstraintComponent",
        DISJOINT_CONSTRAINT_COMPONENT = "DisjointConstraintComponent",
        LESS_THAN_CONSTRAINT_COMPONENT = "LessThanConstraintComponent",
        LESS_THAN_OR_EQUALS_CONSTRAINT_COMPONENT = "LessThanOrEqualsConstraintComponent",
        NOT_CONSTRAINT_COMPONENT = "NotConstraintComponent",
        AND_CONSTRAINT_COMPONENT = "AndConstraintComponent",
        OR_CONSTRAINT_COMPONENT = "OrConstraintComponent",
        XONE_CONSTRAINT_COMPONENT = "XoneConstraintComponent",
        NODE_CONSTRAINT_COMPONENT = "NodeConstraintComponent",
        PROPERTY_CONSTRAINT_COMPONENT = "PropertyConstraintComponent",
        QUALIFIED_MIN_COUNT_CONSTRAINT_COMPONENT = "QualifiedMinCountConstraintComponent",
        QUALIFIED_MAX_COUNT_CONSTRAINT_COMPONENT = "QualifiedMaxCountConstraintComponent",
        CLOSED_CONSTRAINT_COMPONENT = "ClosedConstraintComponent",
        HAS_VALUE_CONSTRAINT_COMPONENT = "HasValueConstraintComponent",
        IN_CONSTRAINT_COMPONENT = "InConstraintComponent",
        SPARQL_CONSTRAINT_COMPONENT = "SPARQLConstraintComponent",
    }
}

namespace! {
    /// DCAT 3.
    dcat = "http://www.w3.org/ns/dcat#" {
        CATALOG = "Catalog",
        CATALOG_RECORD = "CatalogRecord",
        DATASET = "Dataset",
        DATASET_SERIES = "DatasetSeries",
        DATA_SERVICE = "DataService",
        DISTRIBUTION = "Distribution",
        RESOURCE = "Resource",
        HAS_DATASET = "dataset",
        KEYWORD = "keyword",
        HAS_DISTRIBUTION = "distribution",
        RECORD = "record",
        HAS_CATALOG = "catalog",
        SERVICE = "service",
        ACCESS_SERVICE = "accessService",
        SERVES_DATASET = "servesDataset",
        IN_SERIES = "inSeries",
        ACCESS_URL = "accessURL",
        BYTE_SIZE = "byteSize",
        DOWNLOAD_URL = "downloadURL",
        MEDIA_TYPE = "mediaType",
        LANDING_PAGE = "landingPage",
        CONTACT_POINT = "contactPoint",
    }
}

namespace! {
    /// DCMI Metadata Terms.
    dct = "http://purl.org/dc/terms/" {
        ACCRUAL_PERIODICITY = "accrualPeriodicity",
        LANGUAGE = "language",
        IDENTIFIER = "identifier",
        TITLE = "title",
        DESCRIPTION = "description",
        HAS_PART = "hasPart",
        IS_PART_OF = "isPartOf",
        RELATION = "relation",
        ISSUED = "issued",
        MODIFIED = "modified",
        SOURCE = "source",
        FORMAT = "format",
        CONFORMS_TO = "conformsTo",
        PUBLISHER = "publisher",
        LICENSE = "license",
        SPATIAL = "spatial",
    }
}

namespace! {
    /// FOAF.
    foaf = "http://xmlns.com/foaf/0.1/" {
        PRIMARY_TOPIC = "primaryTopic",
        IS_PRIMARY_TOPIC_OF = "isPrimaryTopicOf",
        NAME = "name",
        HOMEPAGE = "homepage",
        AGENT = "Agent",
    }
}

namespace! {
    /// Hydra Core, for paging.
    hydra = "http://www.w3.org/ns/hydra/core#" {
        PARTIAL_COLLECTION_VIEW = "PartialCollectionView",
        PAGED_COLLECTION = "PagedCollection",
        NEXT = "next",
        NEXT_PAGE = "nextPage",
        TOTAL_ITEMS = "totalItems",
        FIRST = "first",
        LAST = "last",
        VIEW = "view",
        PREVIOUS = "previous",
        COLLECTION = "Collection",
    }
}

namespace! {
    /// Moisson's own terms, used only in graphs that Moisson writes.
    moisson = "https://moisson.dev/ns#" {
        HASH = "hash",
        REMOTE_ID = "remoteId",
        KIND = "kind",
        MAPPING = "mapping",
        MISSING_SINCE = "missingSince",
        BACKEND = "backend",
        URL = "url",
        SOURCE_CLASS = "Source",
        PLACE = "place",
        SITE = "site",
        POSITION = "position",
        BECOMES = "becomes",
        OF_STATED_DCAT = "ofStatedDcat",
        ID = "id",
        PAGE = "page",
        LANDING_PAGE = "landingPage",
        RECORD = "record",
        SUGGESTION = "suggestion",
        VIOLATIONS = "violations",
        WARNINGS = "warnings",
        INFOS = "infos",
        UNKNOWN = "unknown",
        RULE = "Rule",
        WHY = "why",
        RIGHT = "right",
        WRONG = "wrong",
        CLAUSE = "clause",
        SEARCH = "search",
        SCORE = "score",
        NUMBER = "number",
        DEAD_AT = "deadAt",
        LINK_ERROR = "linkError",
    }
}

namespace! {
    /// Data Quality Vocabulary (W3C Note of 2016-12-15).
    dqv = "http://www.w3.org/ns/dqv#" {
        COMPUTED_ON = "computedOn",
        IS_MEASUREMENT_OF = "isMeasurementOf",
        VALUE = "value",
    }
}

namespace! {
    /// GeoSPARQL 1.1.
    geosparql = "http://www.opengis.net/ont/geosparql#" {
        WKT_LITERAL = "wktLiteral",
        GML_LITERAL = "gmlLiteral",
        GEO_JSON_LITERAL = "geoJSONLiteral",
    }
}

/// What the predicates of lifted JSON begin with; the field's own name follows.
pub const JSON_FIELD: &str = "https://moisson.dev/json#";

/// What the predicates and classes of lifted XML begin with; the element's name follows, without its prefix.
pub const XML_ELEMENT: &str = "https://moisson.dev/xml#";

/// What the predicates of lifted XML attributes begin with.
pub const XML_ATTRIBUTE: &str = "https://moisson.dev/xml/attribute#";

/// What the nodes of lifted JSON objects and XML elements begin with.
pub const LIFTED: &str = "https://moisson.dev/lifted/";

/// The prefixes of lifted records.
pub const LIFTED_PREFIXES: [(&str, &str); 4] =
    [("a", XML_ATTRIBUTE), ("j", JSON_FIELD), ("ns", moisson::NAMESPACE), ("x", XML_ELEMENT)];

/// The prefixes of what Moisson writes.
pub const PREFIXES: &[(&str, &str)] = &[
    ("adms", "http://www.w3.org/ns/adms#"),
    ("cnt", "http://www.w3.org/2011/content#"),
    ("dcat", dcat::NAMESPACE),
    ("dcatap", "http://data.europa.eu/r5r/"),
    ("dct", dct::NAMESPACE),
    ("dqv", dqv::NAMESPACE),
    ("foaf", foaf::NAMESPACE),
    ("geo", geosparql::NAMESPACE),
    ("geodcatap", "http://data.europa.eu/930/"),
    ("hydra", hydra::NAMESPACE),
    ("locn", "http://www.w3.org/ns/locn#"),
    ("org", "http://www.w3.org/ns/org#"),
    ("prov", "http://www.w3.org/ns/prov#"),
    ("rdf", rdf::NAMESPACE),
    ("rdfs", rdfs::NAMESPACE),
    ("schema", "http://schema.org/"),
    ("sh", sh::NAMESPACE),
    ("skos", "http://www.w3.org/2004/02/skos/core#"),
    ("spdx", "http://spdx.org/rdf/terms#"),
    ("vcard", "http://www.w3.org/2006/vcard/ns#"),
    ("xsd", xsd::NAMESPACE),
];
