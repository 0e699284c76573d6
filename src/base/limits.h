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
/* Words of each list by which the guard of subscribers knows the home network. */
#define LIMIT_STIX_GUARD_HOME 64
/* Names of properties that one extension-definition may keep local. */
#define LIMIT_STIX_LOCAL_NAMES 256
/* Extensions of one object whose definitions are looked up. */
#define LIMIT_STIX_LOCAL_EXTENSIONS 1000
/* Techniques of a file of MoTIF, each of which is looked for among all. */
#define LIMIT_STIX_MOTIF_TECHNIQUES 2000

/* STIX patterns: bytes of a pattern's text, depth of its parentheses, nodes of its tree, bytes that
 * all its regular expressions take when compiled. */
#define LIMIT_PATTERN_BYTES       (1u << 20)
#define LIMIT_PATTERN_DEPTH       64
#define LIMIT_PATTERN_NODES       (1u << 18)
#define LIMIT_PATTERN_MATCH_STEPS 100000
#define LIMIT_PATTERN_MATCH_KIB   1024
#define LIMIT_PATTERN_REGEX_BYTES (4u << 20)

/* Dialogue: bytes of a statement that is read, words in it, sentences; heads, agencies and findings
 * of one draft; seconds of one clock, pauses of one request. */
#define LIMIT_DIALOGUE_TEXT_BYTES  (256u << 10)
#define LIMIT_DIALOGUE_WORDS       60000
#define LIMIT_DIALOGUE_SIDES       4
#define LIMIT_DIALOGUE_HEADS       8
#define LIMIT_DIALOGUE_AGENCIES    128
#define LIMIT_DIALOGUE_FINDINGS    200
#define LIMIT_DIALOGUE_CLOCK_S     (366 * 86400)
#define LIMIT_DIALOGUE_PAUSES      64
#define LIMIT_DIALOGUE_ARENA_BYTES ((size_t)512 << 20)
/* Objects of the dialogue that one reading takes up, bytes of a file that holds some. */
#define LIMIT_DIALOGUE_OBJECTS    100000
#define LIMIT_DIALOGUE_FILE_BYTES (16u << 20)
/* How far the clocks of two nodes may be apart, for a step to be taken at once. */
#define LIMIT_DIALOGUE_SKEW_S 600

/* The review of a round: memory of one; ids of evidence that one number lists, all are counted; a
 * count below the floor is written as "fewer than" it, and opens nothing; commitments of one
 * instrument, measures and assessments of all of them; rows of a chart; bytes of what is written.
 */
#define LIMIT_REVIEW_ARENA_BYTES  ((size_t)4 << 30)
#define LIMIT_REVIEW_EVIDENCE     100
#define LIMIT_REVIEW_FLOOR        5
#define LIMIT_REVIEW_COMMITMENTS  1000
#define LIMIT_REVIEW_AIMS         1000
#define LIMIT_REVIEW_ASSESSMENTS  10000
#define LIMIT_REVIEW_CHART_ROWS   40
#define LIMIT_REVIEW_OUTPUT_BYTES ((size_t)256 << 20)

/* The gate: parts into which references may divide the recipients of one group; collections that
 * one object may stand in; originals of one observable's copy that are asked; objects that are
 * decided again in one transaction because something they refer to changed. */
#define LIMIT_GATE_PARTS       32
#define LIMIT_GATE_COLLECTIONS 256
#define LIMIT_GATE_ORIGINS     256
#define LIMIT_GATE_PENDING     10000
/* Objects of one transaction in which a whole store is decided about again. */
#define LIMIT_GATE_SWEEP 1000
/* What a plan may keep in memory of what follows from what; how often it may look at everything. */
#define LIMIT_GATE_FORESIGHT_BYTES ((size_t)2 << 30)
#define LIMIT_GATE_PASSES          8
/* Combinations of recipients that one transaction remembers. */
#define LIMIT_GATE_COMBINED 100000
/* How long a quarantined object waits for an officer. */
#define LIMIT_DESK_QUARANTINE_DAYS 90
/* What a producer is told of one object. */
#define LIMIT_EXCHANGE_MESSAGE_BYTES 4096
/* Groups of recipients that one outcome may have. */
#define LIMIT_POLICY_GROUPS 4096

/* Policy: bytes of policy.conf, rules in it, names in it (each of: parties and communities; types;
 * labels), memory of one parsed policy and of what one memo remembers; own warning lists and the
 * entries of all of them; paths of one redaction; officers, hours and days of a hold; arrivals of a
 * limit; days of an age. */
#define LIMIT_POLICY_BYTES        (4u << 20)
#define LIMIT_POLICY_RULES        10000
#define LIMIT_POLICY_NAMES        10000
#define LIMIT_POLICY_MEMORY_BYTES (256u << 20)
#define LIMIT_POLICY_MEMO_BYTES   (256u << 20)
#define LIMIT_POLICY_LISTS        48
#define LIMIT_POLICY_LIST_ENTRIES 10000
#define LIMIT_POLICY_PATHS        64
#define LIMIT_POLICY_OFFICERS     16
#define LIMIT_POLICY_HOLD_DAYS    365
#define LIMIT_POLICY_AGE_DAYS     36500
#define LIMIT_POLICY_ARRIVALS     1000000000u

/* Ledger: leaves of a log (others' tools count in 63 bits), hashes of a proof in one, bytes and
 * signatures of a note, bytes of the text it signs, of a key's name (other cosignatures count them
 * in one byte), of a record, of a proof file. */
#define LIMIT_LEDGER_LEAVES         0x7FFFFFFFFFFFFFFFu
#define LIMIT_LEDGER_PROOF_HASHES   64
#define LIMIT_LEDGER_NOTE_BYTES     (256u << 10)
#define LIMIT_LEDGER_SIGNATURES     100
#define LIMIT_LEDGER_TEXT_BYTES     4096
#define LIMIT_LEDGER_NAME_BYTES     255
#define LIMIT_LEDGER_RECORD_BYTES   (64u << 10)
#define LIMIT_LEDGER_RECORDS_ANSWER 1000
#define LIMIT_LEDGER_HASHED_ALONE                                                                  \
    256 /* leaves of a transaction; more are hashed by a thread beside */
#define LIMIT_LEDGER_EVIDENCE_BYTES (1u << 20)
#define LIMIT_LEDGER_FINDINGS       1000 /* that verifying tells; all are counted */
#define LIMIT_LEDGER_EVIDENCE_KEPT  100  /* pairs of checkpoints against one partner */

/* HTTP: body (default of setu.conf), answers, the head of a request and its parts. */
#define LIMIT_HTTP_BODY_BYTES    (100u << 20)
#define LIMIT_HTTP_BODIES_BYTES  ((size_t)512 << 20) /* buffered at once, all together */
#define LIMIT_HTTP_REPLIES_BYTES ((size_t)512 << 20) /* waiting to be sent, all together */
#define LIMIT_HTTP_DROP_BYTES    (1u << 20) /* a refused body that is read to keep a connection */
#define LIMIT_HTTP_HEADER_BYTES  (32u << 10)
#define LIMIT_HTTP_FIELDS        100
#define LIMIT_HTTP_QUERY_VALUES  1000
#define LIMIT_HTTP_PATH_SEGMENTS 16
#define LIMIT_HTTP_URI_BYTES     (24u << 10)
/* Connections, all and of one address (defaults of setu.conf; of IPv6 a /64 is one address); open
 * files that are kept for what is no connection; how long one may be quiet between requests; what a
 * head, a handshake, a body and an answer may take, the latter two and a second for so many bytes
 * more; what is read behind a last answer. */
#define LIMIT_HTTP_CONNECTIONS 16384
#define LIMIT_HTTP_PER_ADDRESS 1024
#define LIMIT_HTTP_OTHER_FILES 100
#define LIMIT_HTTP_IDLE_MS     60000
#define LIMIT_HTTP_SLOW_MS     10000
#define LIMIT_HTTP_SLOW_BYTES  4096
#define LIMIT_HTTP_LINGER_MS   2000
/* Who waits for objects makes no room before: one who asks again at once would else end the next
 * one's wait, and so on. */
#define LIMIT_HTTP_WAIT_LEAST_MS 2000
/* Warnings that a TLS client may send in a session; what it may send before there is data, or until
 * there is more of it: its hello and the chain of its certificate. */
#define LIMIT_TLS_WARNINGS     16
#define LIMIT_TLS_SILENT_BYTES (64u << 10)
/* Steps that one connection makes before others have their turn; those that the slowest is chosen
 * of; users whose requests are counted; text of the access log that waits to be written;
 * what it tells of a method. */
#define LIMIT_HTTP_TURN             32
#define LIMIT_HTTP_SLOWEST_OF       64
#define LIMIT_HTTP_USERS            4096
#define LIMIT_HTTP_LOG_BYTES        (64u << 10)
#define LIMIT_HTTP_LOG_METHOD_BYTES 32
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
/* Rows that match[version] may pass over before a page ends early, with more to follow: some
 * milliseconds of an event loop. */
#define LIMIT_TAXII_PAGE_SKIPPED 10000
/* Smaller answers are not compressed; nor are larger ones than the most, which are not kept either
 * and would be compressed each time that they are asked for. */
#define LIMIT_TAXII_CODED_BYTES      1024
#define LIMIT_TAXII_CODED_MOST_BYTES (6u << 20)
/* More ids in a filter are looked up on a worker's thread. */
#define LIMIT_TAXII_LOOP_IDS 32
/* The longest wait for something new. */
#define LIMIT_TAXII_WAIT_S 300
/* Values of match[type] and match[id]. */
#define LIMIT_TAXII_FILTER_TYPES 64
#define LIMIT_TAXII_FILTER_IDS   1000

/* Exchange: objects of one envelope, batches waiting for the writer, rows of one transaction. */
#define LIMIT_EXCHANGE_ENVELOPE_OBJECTS    1000000
#define LIMIT_EXCHANGE_QUEUE_BATCHES       1024
#define LIMIT_EXCHANGE_TRANSACTION_OBJECTS 10000
#define LIMIT_EXCHANGE_WITHDRAW_VERSIONS   256
#define LIMIT_EXCHANGE_PEERS               1024
/* An envelope of more objects is acknowledged before it is decided about, where its body is not
 * larger than what a user may have waiting; bytes of all that wait, of one organisation's (so that
 * two leave room for a third), of one user's; pause after one could not be taken up, twice as long
 * each time up to the most, and before it is looked for those of another process; how long one may
 * wait before the doctor warns. */
#define LIMIT_EXCHANGE_AT_ONCE_OBJECTS      10000
#define LIMIT_EXCHANGE_PENDING_BYTES        ((size_t)512 << 20)
#define LIMIT_EXCHANGE_PENDING_ORG_BYTES    ((size_t)192 << 20)
#define LIMIT_EXCHANGE_PENDING_USER_BYTES   ((size_t)128 << 20)
#define LIMIT_EXCHANGE_PENDING_PAUSE_S      5
#define LIMIT_EXCHANGE_PENDING_PAUSE_MOST_S 60
#define LIMIT_EXCHANGE_PENDING_LOOK_S       60
#define LIMIT_EXCHANGE_PENDING_LONG_S       600
/* Pages that are kept: memory of all, of one with its coded forms. */
#define LIMIT_EXCHANGE_PAGES_BYTES ((size_t)64 << 20)
#define LIMIT_EXCHANGE_PAGE_BYTES  ((size_t)8 << 20)
/* What was added lately: parties and collections of which it is known, names of each; rows that are
 * caught up with at once, some milliseconds of an event loop. */
#define LIMIT_EXCHANGE_RECENTS      64
#define LIMIT_EXCHANGE_RECENT_NAMES 8192
#define LIMIT_EXCHANGE_RECENT_ROWS  4000

/* People: bytes of a user, organisation or collection name; of a token or password. */
#define LIMIT_NAME_BYTES   128
#define LIMIT_SECRET_BYTES 1024

/* Observables: bytes of a candidate value; labels of a name are bounded by RFC 1035. */
#define LIMIT_OBSERVABLE_BYTES 4096
/* Of longer values no warning list knows anything. */
#define LIMIT_OBSERVABLE_WARNED_BYTES 2048

/* Packets: headers inside each other, GTP-U tunnels inside each other (the second is looked into),
 * IPv6 extension headers, GTP-U extension headers, MPLS labels of one packet. */
#define LIMIT_PACKET_LAYERS     24
#define LIMIT_PACKET_TUNNELS    2
#define LIMIT_PACKET_IPV6_CHAIN 8
#define LIMIT_PACKET_GTPU_CHAIN 8
#define LIMIT_PACKET_LABELS     16
/* pcapng: bytes of one block, interfaces of one section. */
#define LIMIT_PACKET_BLOCK_BYTES (16u << 20)
#define LIMIT_PACKET_INTERFACES  1024
/* Datagrams that wait for fragments (64 KiB each at the most), and how long. */
#define LIMIT_PACKET_DATAGRAMS  512
#define LIMIT_PACKET_FRAGMENT_S 30
/* Messages of SCTP that wait for chunks, and bytes of one. */
#define LIMIT_PACKET_MESSAGES      256
#define LIMIT_PACKET_MESSAGE_BYTES (64u << 10)
/* Streams whose start is not whole yet, bytes of it that are kept, pieces with gaps between them,
 * and bytes kept of all together. */
#define LIMIT_PACKET_STREAMS       16384
#define LIMIT_PACKET_STREAM_BYTES  (16u << 10)
#define LIMIT_PACKET_STREAM_PIECES 8
#define LIMIT_PACKET_STREAMS_BYTES (32u << 20)
#define LIMIT_PACKET_STREAM_S      30
/* DNS: records of one message, jumps of one name. */
#define LIMIT_PACKET_DNS_RECORDS 256
#define LIMIT_PACKET_DNS_JUMPS   16
/* PFCP: rules of one message, depth of groups; requests that wait for their answers, bytes of them
 * that are kept, and for how long; NGAP: elements of one message, PDU sessions of one list; GTP-C:
 * tunnels of one message. */
#define LIMIT_PACKET_PFCP_RULES    64
#define LIMIT_PACKET_PFCP_DEPTH    4
#define LIMIT_PACKET_ASKED         8192
#define LIMIT_PACKET_ASKED_BYTES   (4u << 20)
#define LIMIT_PACKET_ANSWER_S      30
#define LIMIT_PACKET_NGAP_ELEMENTS 64
#define LIMIT_PACKET_NGAP_SESSIONS 32
#define LIMIT_PACKET_GTPC_TUNNELS  16
/* Sessions: how many (the oldest goes), tunnel ends of one, nodes, seconds without a sign of life,
 * seconds that an ended tunnel is still known. Tunnels that are found without a search. */
#define LIMIT_PACKET_SESSIONS       1000000
#define LIMIT_PACKET_NEAR           131072 /* a power of two */
#define LIMIT_PACKET_BINDINGS       64
#define LIMIT_PACKET_NODES          65536
#define LIMIT_PACKET_NODES_PINNED   4096
#define LIMIT_PACKET_SESSION_S      86400
#define LIMIT_PACKET_SESSION_ENDS_S 10
/* Rules: nodes whose behaviour is remembered, users of N2, lines and bytes of a configuration. */
#define LIMIT_PACKET_PEERS        8192
#define LIMIT_PACKET_UES          65536
#define LIMIT_PACKET_CONFIG_LINES 10000
#define LIMIT_PACKET_CONFIG_BYTES (1u << 20)

/* Sensor: bytes of one log line that are looked at; the rest of a longer line is scanned as well,
 * in pieces that overlap by LIMIT_OBSERVABLE_BYTES. */
#define LIMIT_SENSOR_BLOCK_BYTES (1u << 20)
/* Bytes asked for at once: they stay in a processor's cache until they are looked at. Threads that
 * look at one file. */
#define LIMIT_SENSOR_READ_BYTES     (256u << 10)
#define LIMIT_SENSOR_SPOOL_FILES    10000u       /* envelopes of sightings that wait */
#define LIMIT_SENSOR_EVIDENCE_LINES 3            /* of an indicator and window */
#define LIMIT_SENSOR_EVIDENCE_BYTES 1024u        /* of a line */
#define LIMIT_SENSOR_EVIDENCE_TOTAL (64u << 20)  /* of a window */
#define LIMIT_SENSOR_ENVELOPE_BYTES (16u << 20)  /* of one */
#define LIMIT_CLI_INPUTS            100000u      /* files of folders that are inputs */
#define LIMIT_CLI_MUTE_PLACES       (1u << 20)   /* for counts of an indicator in an input */
#define LIMIT_CLI_CHECKPOINTS       4096         /* files that one checkpoint knows */
#define LIMIT_CLI_CHECKPOINT_BYTES  (384u << 20) /* of its file, with sightings and evidence */
#define LIMIT_CLI_FIGHT_BYTES       (64u << 20)
#define LIMIT_SENSOR_WINDOW_BITS                                                                   \
    27                            /* of what packed logs may refer back to: 128 MiB; xz: twice     \
                                   */
#define LIMIT_SENSOR_FOLLOWED 256 /* files at once */
#define LIMIT_SENSOR_ROTATED  64  /* that had one name, and wait or are read */
/* Folders that are followed: files in them that are known; packed ones and captures that are read
 * at once. Bytes before a place by which a text is known again. */
#define LIMIT_SENSOR_FOLDER_FILES 100000
#define LIMIT_SENSOR_UNPACKED     4
#define LIMIT_SENSOR_TAIL_BYTES   256
#define LIMIT_SENSOR_CAPTURES     64 /* of the same time, read together */
/* Collections that are followed at once; seconds that a server is asked to wait, and pauses after a
 * failure; changes that a small and a large set carry beside them before they are built anew; ids
 * asked for in one question. */
#define LIMIT_SENSOR_FEEDS        64
#define LIMIT_SENSOR_WAIT_S       25
#define LIMIT_SENSOR_PAUSE_S      60
#define LIMIT_SENSOR_LIVE_CHANGES 20000
#define LIMIT_SENSOR_LIVE_MOST    200000
#define LIMIT_SENSOR_ASK_IDS      20
#define LIMIT_SENSOR_THREADS      256
/* Syslog: addresses listened on, connections at once, bytes of one message that are looked at as
 * one line (the rest as well, in pieces that overlap), digits of its length, what is read from a
 * connection at once, datagrams taken at once, what the kernel is asked to keep of them;
 * milliseconds in which what had arrived at the end is still read. */
#define LIMIT_SENSOR_SYSLOG_ADDRESSES   16
#define LIMIT_SENSOR_SYSLOG_CONNECTIONS 256
#define LIMIT_SENSOR_SYSLOG_BYTES       (256u << 10)
#define LIMIT_SENSOR_SYSLOG_DIGITS      7
#define LIMIT_SENSOR_SYSLOG_READ_BYTES  (32u << 10)
#define LIMIT_SENSOR_SYSLOG_DATAGRAMS   32
#define LIMIT_SENSOR_SYSLOG_QUEUE_BYTES (8 << 20)
#define LIMIT_SENSOR_SYSLOG_DRAIN_MS    1000
/* Index of a log: bytes that have keys of their own (lines are whole, so it may be more), blocks
 * and bytes of one segment, keys that a thread gathers for it; bytes of the path in it. With more
 * values a hunt reads all: asking would take longer. */
#define LIMIT_SENSOR_INDEX_BLOCK_BYTES   (256u << 10)
#define LIMIT_SENSOR_INDEX_BLOCKS        256
#define LIMIT_SENSOR_INDEX_SEGMENT_BYTES ((uint64_t)64 << 20)
#define LIMIT_SENSOR_INDEX_KEYS          (4u << 20)
#define LIMIT_SENSOR_HUNT_VALUES         100000
/* Markings besides TLP that a sighting takes over from its indicator. */
#define LIMIT_SENSOR_MARKINGS 32
/* A notice: sessions and users that are told apart; nodes, areas and slices that are named. */
#define LIMIT_SENSOR_NOTICE_KEYS  (32u << 20)
#define LIMIT_SENSOR_NOTICE_NAMES 100000

/* Partners: bytes of one answer (decompressed), of a URL, of a `next`; objects asked for at once,
 * and the fewest when a server is slow; pages of one pull; API roots looked at. Seconds to connect,
 * without progress, of one transfer, of a Retry-After that is waited for, of a pending status. */
#define LIMIT_PEER_BODY_BYTES       (256u << 20)
#define LIMIT_PEER_URL_BYTES        2048
#define LIMIT_PEER_NEXT_BYTES       4096
#define LIMIT_PEER_PAGE_OBJECTS     5000
#define LIMIT_PEER_PAGE_LEAST       50
#define LIMIT_PEER_PAGES            1000000
#define LIMIT_PEER_ROOTS            100
#define LIMIT_PEER_TRIES            4
#define LIMIT_PEER_CONNECT_S        10
#define LIMIT_PEER_STALL_S          60
#define LIMIT_PEER_TRANSFER_S       3600
#define LIMIT_PEER_RETRY_AFTER_S    60
#define LIMIT_PEER_STATUS_S         300
#define LIMIT_PEER_LEDGER_BYTES     (1u << 20)   /* an answer about a ledger, but for records */
#define LIMIT_PEER_RECORDS_BYTES    (128u << 20) /* … for LIMIT_LEDGER_RECORDS_ANSWER records */
#define LIMIT_PEER_WITHDRAWN        100     /* withdrawals in one answer, receipts in one post */
#define LIMIT_PEER_WITHDRAWN_ROUNDS 100     /* such answers that one sync follows */
#define LIMIT_PEER_SEARCH_LEAVES    1000000 /* in which a confirmation is looked for */
#define LIMIT_PEER_JUDGE_TRIES      3       /* while others judge the same ledger */

/* Release rows that a session keeps between pages, some 50 bytes each. */
#define LIMIT_STORE_KEPT_ROWS (128u << 10)
/* Pairs of collection and audience that one transaction remembers to have added to. */
#define LIMIT_STORE_ADDED 256
/* Pages of 8 KiB in the write-ahead log from which on they are brought back into the database,
 * where a thread beside the writer does it; by how many more it is done again; from which on the
 * writer does it too, at each commit. These are less than the log keeps of its file (sqlite.c). */
#define LIMIT_STORE_WAL_PAGES      4000
#define LIMIT_STORE_WAL_STEP_PAGES 1000
#define LIMIT_STORE_WAL_MOST_PAGES 8000

/* Backups: files of a node beside its database, bytes of one and of all, of the list of digests;
 * restores that wait for an officer at once. */
#define LIMIT_BACKUP_FILES       4096
#define LIMIT_BACKUP_FILE_BYTES  (4u << 20)
#define LIMIT_BACKUP_FILES_BYTES (64u << 20)
#define LIMIT_BACKUP_SUMS_BYTES  (1u << 20)
#define LIMIT_RESTORES           16

/* Paths of the node: its directory and what lies in it. */
#define LIMIT_PATH_BYTES 1024

/* Arenas: one request, one file under check. */
#define LIMIT_ARENA_REQUEST_BYTES ((size_t)2 << 30)
#define LIMIT_ARENA_FILE_BYTES    ((size_t)16 << 30)

#endif
