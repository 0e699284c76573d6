/* Shared by the files of this room. A connection (connection.c) belongs to one event loop (loop.c)
 * and has one request at a time (life.c). */
#ifndef HTTP_HTTP_PRIV_H
#define HTTP_HTTP_PRIV_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "crypt/crypt.h"
#include "http/http.h"

struct http_pair {
    struct str name, value;
};

/* ---- reading a request: no state but what is given ---- */

enum http_framing { HTTP_NO_BODY, HTTP_LENGTH, HTTP_CHUNKED };

struct http_head {
    struct str method, target; /* the target is a path and perhaps a query */
    struct http_pair *fields;
    size_t field_count;
    enum http_framing framing;
    uint64_t length;           /* of HTTP_LENGTH, not 0 */
    bool old, closes, expects; /* HTTP/1.0; no further request; 100-continue */
    bool keeps;
};
/* Looks for the end of a head, the empty line included, in bytes of which the first *seen were
 * looked at before. *end is 0 when more is to be read. False, with the status that is to be
 * answered, when it is none or too long. */
bool http_head_end(struct str bytes, size_t *seen, size_t *end, struct err *e) BASE_CHECKED;
/* `head` is what http_head_end delimited, and lives as long as *out, whose fields are in `a`. */
bool http_head_read(struct str head, struct arena *a, struct http_head *out,
                    struct err *e) BASE_CHECKED;

enum http_chunk_state {
    HTTP_CHUNK_SIZE, /* where a body begins: zero */
    HTTP_CHUNK_SIZE_LF,
    HTTP_CHUNK_DATA,
    HTTP_CHUNK_DATA_CR,
    HTTP_CHUNK_DATA_LF,
    HTTP_CHUNK_LAST_CR,
    HTTP_CHUNK_LAST_LF,
    HTTP_CHUNK_END
};
struct http_chunks {
    enum http_chunk_state state;
    uint64_t left;
    unsigned digits;
};
/* Takes frames off *bytes until there is data (a slice of it, taken off too), the end, or nothing
 * left. */
bool http_chunks_take(struct http_chunks *k, struct str *bytes, struct str *data,
                      struct err *e) BASE_CHECKED;

/* ---- requests ---- */

/* Allowed moves of a request, in order; http_move checks them. */
enum http_state {
    HTTP_READING,    /* head and body come in */
    HTTP_SIGNING_IN, /* suspended between the head and the body: a password is verified */
    HTTP_ROUTED,     /* the route function has it */
    HTTP_WORKING,    /* suspended: a worker or the writer has it */
    HTTP_ANSWERED    /* status and body are set */
};
#define HTTP_STATES 5

struct http_request {
    struct http_server *server;
    struct http_connection *connection;
    struct arena *arena;
    uint64_t number;
    int64_t begun_us; /* monotonic: its head was read */
    _Atomic int state;
    bool suspended;
    bool dropping; /* the body: nobody wants it */
    bool body_too_large, bodies_too_many;
    struct http_head head;
    enum http_method method;
    struct str segments[LIMIT_HTTP_PATH_SEGMENTS];
    size_t segment_count;
    struct http_pair *query;
    size_t query_count;
    struct buf body;
    size_t body_counted;     /* of server->bodies_bytes */
    struct str name, secret; /* to be verified */
    struct principal who;
    void *kept;
    struct exchange_session *session;
    http_route_fn *work;
    struct http_request *next_work;
    http_parked_fn *parked; /* these six are guarded by the lock of server->parking */
    int64_t deadline_us;
    struct http_request *next_parked, **parked_at; /* parked_at NULL: it is not set aside */
    bool woken, gone;

    int status;
    const char *type;
    struct buf reply;
    struct str shared; /* in the place of `reply`, while `release` is set */
    http_release_fn *release;
    void *release_ctx;
    size_t reply_counted; /* of server->replies_bytes */
    struct http_pair headers[8];
    size_t header_count;
    const char *what; /* of the access log: the route's name */
    uint64_t objects;
};

/* NULL without memory. */
struct http_request *http_request_new(struct http_connection *c);
void http_request_free(struct http_request *r);
/* The head was read into r->head: signs in, and asks whether a body is wanted. Afterwards the
 * request is HTTP_READING and its body may come, or answered, or suspended. A GET without a body
 * is given to the route at once. */
void http_begin(struct http_request *r);
void http_body_put(struct http_request *r, struct str data);
/* The body is whole. Afterwards the request is answered or suspended. */
void http_body_end(struct http_request *r);
/* What was kept of the body is given back, and what is still to come is not kept. */
void http_body_drop(struct http_request *r);
void http_move(struct http_request *r, enum http_state to);
/* Splits and decodes the target; ERR_SYNTAX on bad escapes and too many parts. */
bool http_uri_parse(struct http_request *r, struct err *e) BASE_CHECKED;
/* Finds out who asks; EXCHANGE_LOGIN_SLOW: r->name and r->secret are to be verified. */
enum exchange_login http_authenticate(struct http_request *r, struct err *e) BASE_CHECKED;
/* Answers ERR_BUSY with a text of this room's own. */
void http_reply_busy(struct http_request *r, const char *text);
/* Sets the connection aside until the request is answered, or goes on. */
void http_suspend(struct http_request *r, enum http_state state);
/* Lets a suspended request go on reading. */
void http_go_on(struct http_request *r);
/* Gives up what http_reply_shared was given, if it was. */
void http_release(struct http_request *r);
/* The head of the answer. `last`: no other request is read. */
void http_reply_head(struct http_request *r, bool last, struct buf *out);
/* What follows it: nothing after HEAD and 304. */
struct str http_reply_body(const struct http_request *r);

/* ---- connections ---- */

/* Allowed moves of a connection; connection.c has the table. */
enum http_phase {
    HTTP_HANDSHAKE,
    HTTP_IDLE,    /* between requests */
    HTTP_HEAD,    /* a part of a head is there */
    HTTP_BODY,    /* read, or dropped */
    HTTP_BUSY,    /* the request is suspended; nothing is read */
    HTTP_SENDING, /* the answer */
    HTTP_LINGER,  /* the last answer was sent; what still comes is dropped */
    HTTP_CLOSED
};
#define HTTP_PHASES 8

/* Connections of one address in one loop, each list in the order in which they came into it. */
struct http_source {
    unsigned char address[16];
    size_t count;
    struct http_connection *quiet, *quiet_last;   /* nothing is owed to them: handshake to head */
    struct http_connection *moving, *moving_last; /* bodies and answers */
    struct http_connection *busy, *busy_last;     /* another thread has the request, or it waits */
    struct http_source *next;
};

struct http_connection {
    struct http_loop *loop;
    struct http_source *source;
    struct sockaddr_storage from;
    int fd;
    struct crypt_tls *tls;
    enum http_phase phase;
    bool readable, writable, hung_up; /* as epoll told, until a call says AGAIN */
    bool last;                        /* no further request is read */
    bool body_whole, skipped;
    int64_t since_us, moved_us; /* since when in this phase; when bytes moved last */
    uint64_t moved_bytes;       /* in this phase */
    uint64_t taken_bytes; /* of an answer, by its reader, since the clock was first looked at; */
    int64_t taken_from;   /* then it was here (INT64_MIN: not yet) */
    struct str fresh;     /* read and not used yet: in the loop's scratch, or in `in` */
    struct buf in;
    size_t seen; /* of `fresh`, by http_head_end */
    struct http_chunks chunks;
    uint64_t left; /* of a body with a length */
    struct http_request *request;
    uint64_t dropped; /* of a body that nobody wants */
    struct buf head;  /* of the answer, over TLS with `merged` bytes of the body behind it */
    size_t merged;
    size_t sent;                                           /* of head and body */
    struct http_connection *next, *previous;               /* all of the loop */
    struct http_connection *next_listed, *previous_listed; /* of the source */
    struct http_connection **list, **list_last;            /* which of its lists; NULL: none */
    struct http_connection *next_queued;                   /* that is new, or woken */
    struct http_connection *next_again;                    /* that has another turn */
    bool again;
};

/* Goes on with it as far as can be without waiting. */
void http_connection_run(struct http_connection *c);
/* Ends it now, whatever it is doing; not while it is HTTP_BUSY. The loop frees it. */
void http_connection_close(struct http_connection *c);
/* Ends it if its time is over. */
void http_connection_look_at_clock(struct http_connection *c, int64_t now_us);
void http_connection_free(struct http_connection *c);

/* Counts it to its address, closing the slowest of that address if there are too many; false
 * without memory, or if none could be closed. */
bool http_source_enter(struct http_loop *l, struct http_connection *c);
void http_source_leave(struct http_connection *c);
/* Puts it at the end of the list that its phase belongs to. */
void http_source_list(struct http_connection *c);

/* ---- loops ---- */

#define HTTP_SOURCE_BUCKETS 1024
#define HTTP_SCRATCH_BYTES  65536

/* An event loop on a thread of its own. All but the queue is that thread's alone. */
struct http_loop {
    struct http_server *server;
    pthread_t thread;
    bool runs;
    int epoll_fd, event_fd;
    struct http_connection *all, *dead, *again, **again_end;
    size_t count;
    struct exchange_session *session; /* of this round; NULL: none yet */
    uint64_t seed;
    struct http_source *sources[HTTP_SOURCE_BUCKETS];
    char *scratch;
    char date[96]; /* of the second date_s */
    int64_t date_s;
    struct buf log;       /* lines for the access log */
    pthread_mutex_t lock; /* guards the queue: what is new, and what was answered elsewhere */
    struct http_connection *queue, **queue_end;
    bool stopping; /* guarded too: all is closed now */
};

/* The connection is closed: its memory goes when nothing of this round can touch it any more. */
void http_loop_forget(struct http_loop *l, struct http_connection *c);
bool http_loop_start(struct http_loop *l, struct http_server *s, struct err *e) BASE_CHECKED;
/* From any thread: the connection is new, or its request goes on. */
void http_loop_put(struct http_connection *c);
void http_loop_stop(struct http_loop *l); /* closes what is open; none may be HTTP_BUSY */
/* The connection goes on after others had their turn. */
void http_loop_again(struct http_connection *c);
/* Of now, as the field Date has it (RFC 9110 §5.6.7). */
const char *http_loop_date(struct http_loop *l);

/* ---- what is told of requests ---- */

struct http_log {
    pthread_mutex_t lock; /* guards fd and torn */
    int fd;               /* -1: none is written */
    bool torn;            /* it ends within a line */
    atomic_bool on;
    atomic_ullong lost; /* lines */
};
void http_log_init(struct http_log *l);
/* Goes on in another file, or the same opened anew; an empty path: in none. */
bool http_log_open(struct http_log *l, struct str path, struct err *e) BASE_CHECKED;
/* Writes what a loop has gathered, and clears it. */
void http_log_flush(struct http_log *l, struct buf *lines);
void http_log_done(struct http_log *l);

#define HTTP_BUCKETS 7
struct http_figures {
    atomic_ullong answers[6]; /* by the first digit of their status */
    atomic_ullong took[HTTP_BUCKETS], took_us, bytes;
    atomic_ullong connections, evicted, slow, limited;
};
/* The answer was sent, or as much of it as the client stayed for: `bytes`. */
void http_record(struct http_request *r, uint64_t bytes);

struct http_rates {
    pthread_mutex_t lock; /* guards until_us */
    uint64_t seed;
    int64_t until_us[LIMIT_HTTP_USERS];
};
void http_rates_init(struct http_rates *t);
/* Counts a request of a user (principal.user), unless it is one more than `most` in a second. */
bool http_rate_ok(struct http_rates *t, int64_t user, uint64_t most, int64_t at_us);
void http_rates_done(struct http_rates *t);

/* ---- threads ---- */

/* Threads for what is long, so that no connection waits for another's. There are two pools: one
 * takes in bodies, one verifies passwords. */
struct http_pool {
    struct http_server *server;
    size_t most_threads, most_waiting;
    const char *full; /* what is said when most_waiting wait */
    pthread_t threads[LIMIT_HTTP_WORKERS];
    size_t thread_count;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    size_t waiting;
    struct http_request *first, **last;
    bool closing;
};
_Static_assert(LIMIT_HTTP_VERIFIERS <= LIMIT_HTTP_WORKERS, "threads of a pool");

/* Requests that wait, and the thread that goes on with them. */
struct http_parking {
    struct http_server *server;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    struct http_request *waiting, *ready, **ready_end;
    int64_t next_us; /* no deadline is before it */
    bool stopping;   /* whoever waits is to answer */
    bool ended;
};

struct http_listener {
    struct http_server *server;
    int fd; /* -1: none */
    pthread_t thread;
    bool runs;
    size_t next; /* loop */
    atomic_bool stopping;
};

struct http_server {
    struct exchange *exchange;
    http_admit_fn *admit;
    http_route_fn *route;
    struct http_listener listener;
    struct http_loop loops[LIMIT_HTTP_LOOPS];
    size_t loop_count;
    struct arena *arena;
    struct str url;
    bool plain;
    uint64_t most_connections; /* that there are files for */
    const char *cert_file, *key_file, *ca_file;
    pthread_mutex_t tls_lock; /* guards what follows */
    struct crypt_tls_server *tls;
    struct http_log log;
    struct http_figures figures;
    struct http_rates rates;
    atomic_bool stopping; /* answers end their connection */
    atomic_ullong numbers;
    atomic_uint working; /* suspended requests */
    atomic_uint active;  /* requests between their first header and the end of their answer */
    atomic_size_t bodies_bytes;  /* memory of all bodies */
    atomic_size_t replies_bytes; /* of all answers that are being sent */
    struct http_pool workers, verifiers;
    struct http_parking parking;
    pthread_mutex_t session_lock; /* guards the free sessions */
    struct exchange_session
        *sessions[LIMIT_HTTP_LOOPS + LIMIT_HTTP_WORKERS + LIMIT_HTTP_VERIFIERS + 1];
    size_t session_count;
};

void http_listener_init(struct http_listener *l);
/* Binds what `o` says; *url, in `a`, names the port that was really bound. */
bool http_listener_open(struct http_listener *l, const struct http_options *o, struct arena *a,
                        struct str *url, struct err *e) BASE_CHECKED;
/* Hands what it accepts to the server's loops in turn until it is stopped. */
bool http_listener_start(struct http_listener *l, struct http_server *s,
                         struct err *e) BASE_CHECKED;
void http_listener_stop(struct http_listener *l);
void http_listener_done(struct http_listener *l);

bool http_session_take(struct http_server *s, struct exchange_session **out,
                       struct err *e) BASE_CHECKED;
void http_session_give(struct http_server *s, struct exchange_session *session);

/* The caller has set server, most_threads, most_waiting and full. Failed, nothing is left. */
bool http_pool_start(struct http_pool *p, struct err *e) BASE_CHECKED;
/* Suspends the connection and has a thread of the pool run `fn`; answers ERR_BUSY itself when too
 * many wait. */
void http_pool_put(struct http_pool *p, struct http_request *r, enum http_state state,
                   http_route_fn *fn);
/* Finishes what waits; from then on http_pool_put answers ERR_BUSY. */
void http_pool_stop(struct http_pool *p);
void http_pool_done(struct http_pool *p); /* after it, when no connection is served any more */
bool http_parking_start(struct http_parking *p, struct err *e) BASE_CHECKED;
/* Whoever waited for the answer has hung up: it is to end now. */
void http_parking_gone(struct http_request *r);
/* It is to end now, if it is set aside; else this is false, and nothing has happened. */
bool http_parking_end(struct http_request *r);
/* Has all that wait answer, and those that come. */
void http_parking_hurry(struct http_parking *p);
void http_parking_stop(struct http_parking *p); /* from then on http_park answers ERR_BUSY */
void http_parking_done(struct http_parking *p); /* when no connection is served any more */

#endif
