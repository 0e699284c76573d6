/*
 * Every bound that outside input can reach, by name, in one place. A limit is part of the
 * interface: the manual names those a user can meet. Units end each name. Nothing here is computed
 * at run time.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* JSON: depth of nesting, bytes of one text (simdjson counts positions in 32 bits). */
#define LIMIT_JSON_DEPTH      64
#define LIMIT_JSON_TEXT_BYTES 0xFFFFFF00u

/* STIX: an identifier is a type name of at most 250 characters, "--" and a UUID (2.9, 3.1). Steps:
 * how far selectors, embedded observables and translations of one document may make the check look
 * through members and elements; a million selectors take some 15 million. */
#define LIMIT_STIX_TYPE_BYTES   250
#define LIMIT_STIX_ID_BYTES     (LIMIT_STIX_TYPE_BYTES + 2 + 36)
#define LIMIT_STIX_FINDINGS     100
#define LIMIT_STIX_OBJECT_BYTES (16u << 20)
#define LIMIT_STIX_STEPS        20000000

/* STIX patterns: bytes of a pattern's text, depth of its parentheses, nodes of its tree, bytes that
 * all its regular expressions take when compiled. */
#define LIMIT_PATTERN_BYTES       (1u << 20)
#define LIMIT_PATTERN_DEPTH       64
#define LIMIT_PATTERN_NODES       (1u << 18)
#define LIMIT_PATTERN_REGEX_BYTES (4u << 20)

/* Policy: bytes of policy.conf, rules in it, names in it (each of: parties and communities; types;
 * labels), memory of one parsed policy. */
#define LIMIT_POLICY_BYTES        (4u << 20)
#define LIMIT_POLICY_RULES        10000
#define LIMIT_POLICY_NAMES        10000
#define LIMIT_POLICY_MEMORY_BYTES (256u << 20)

/* HTTP: body (default of setu.conf), header block, query parameters, connections. */
#define LIMIT_HTTP_BODY_BYTES    (100u << 20)
#define LIMIT_HTTP_BODIES_BYTES  ((size_t)512 << 20) /* buffered at once, all together */
#define LIMIT_HTTP_DROP_BYTES    (1u << 20) /* a refused body that is read to keep a connection */
#define LIMIT_HTTP_HEADER_BYTES  (32u << 10)
#define LIMIT_HTTP_QUERY_VALUES  1000
#define LIMIT_HTTP_CONNECTIONS   4096
#define LIMIT_HTTP_PER_ADDRESS   1024
#define LIMIT_HTTP_IDLE_S        60
#define LIMIT_HTTP_PATH_SEGMENTS 16
#define LIMIT_HTTP_URI_BYTES     (24u << 10)
/* Threads that serve connections, threads that take in bodies, jobs that wait for the latter, and
 * how long a stopping server waits for what was begun. */
#define LIMIT_HTTP_LOOPS    2
#define LIMIT_HTTP_WORKERS  2
#define LIMIT_HTTP_JOBS     256
#define LIMIT_HTTP_DRAIN_MS 10000
/* Threads that verify passwords, 64 MiB each while they do, and requests that wait for them. */
#define LIMIT_HTTP_VERIFIERS 1
#define LIMIT_HTTP_SIGN_INS  32

/* TAXII: objects of one page, where a client asks for none and at the most. */
#define LIMIT_TAXII_PAGE_DEFAULT 1000
#define LIMIT_TAXII_PAGE_MAX     10000
#define LIMIT_TAXII_PAGE_BYTES   (32u << 20)
/* Values of match[type] and match[id]. */
#define LIMIT_TAXII_FILTER_TYPES 64
#define LIMIT_TAXII_FILTER_IDS   1000

/* Exchange: objects of one envelope, batches waiting for the writer, rows of one transaction. */
#define LIMIT_EXCHANGE_ENVELOPE_OBJECTS    1000000
#define LIMIT_EXCHANGE_QUEUE_BATCHES       1024
#define LIMIT_EXCHANGE_TRANSACTION_OBJECTS 10000
#define LIMIT_EXCHANGE_WITHDRAW_VERSIONS   256
#define LIMIT_EXCHANGE_PEERS               1024

/* People: bytes of a user, organisation or collection name; of a token or password. */
#define LIMIT_NAME_BYTES   128
#define LIMIT_SECRET_BYTES 1024

/* Observables: bytes of a candidate value; labels of a name are bounded by RFC 1035. */
#define LIMIT_OBSERVABLE_BYTES 4096

/* Sensor: bytes of one log line that are looked at; the rest of a longer line is scanned as well,
 * in pieces that overlap by LIMIT_OBSERVABLE_BYTES. */
#define LIMIT_SENSOR_BLOCK_BYTES (1u << 20)
/* Bytes asked for at once: they stay in a processor's cache until they are looked at. Threads that
 * look at one file. */
#define LIMIT_SENSOR_READ_BYTES (256u << 10)
#define LIMIT_SENSOR_THREADS    256
/* Markings besides TLP that a sighting takes over from its indicator. */
#define LIMIT_SENSOR_MARKINGS 32

/* Partners: bytes of one answer (decompressed), of a URL, of a `next`; objects asked for at once,
 * and the fewest when a server is slow; pages of one pull; API roots looked at. Seconds to connect,
 * without progress, of one transfer, of a Retry-After that is waited for, of a pending status. */
#define LIMIT_PEER_BODY_BYTES    (256u << 20)
#define LIMIT_PEER_URL_BYTES     2048
#define LIMIT_PEER_NEXT_BYTES    4096
#define LIMIT_PEER_PAGE_OBJECTS  5000
#define LIMIT_PEER_PAGE_LEAST    50
#define LIMIT_PEER_PAGES         1000000
#define LIMIT_PEER_ROOTS         100
#define LIMIT_PEER_TRIES         4
#define LIMIT_PEER_CONNECT_S     10
#define LIMIT_PEER_STALL_S       60
#define LIMIT_PEER_TRANSFER_S    3600
#define LIMIT_PEER_RETRY_AFTER_S 60
#define LIMIT_PEER_STATUS_S      300

/* Paths of the node: its directory and what lies in it. */
#define LIMIT_PATH_BYTES 1024

/* Arenas: one request, one file under check. */
#define LIMIT_ARENA_REQUEST_BYTES ((size_t)2 << 30)
#define LIMIT_ARENA_FILE_BYTES    ((size_t)16 << 30)

#endif
