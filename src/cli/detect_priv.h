/* Between detect.c and detect_packets.c. */
#ifndef CLI_DETECT_PRIV_H
#define CLI_DETECT_PRIV_H

#include "cli/cli.h"
#include "cli/feeds.h"
#include "packet/packet.h"
#include "sensor/sensor.h"

struct detect_packets {
    struct packet_config *config; /* or NULL */
    unsigned char key[CRYPT_KEY_BYTES];
    bool has_key;
};

/* Reads --5g-config and --5g-key. */
bool detect_packets_begin(const struct cli *c, struct detect_packets *p,
                          struct err *e) BASE_CHECKED;
void detect_packets_end(struct detect_packets *p);
/* Figures of one capture, a line on stderr. */
void detect_packets_tell(struct str input, const struct packet_figures *f);

/* Inputs in the order in which they are read: of several captures first those, which are read
 * together, and whose number is *captures; without several it is 0. NULL: no memory; else the
 * caller frees it with base_free. */
const char **detect_packets_order(const struct cli *c, size_t *captures);

/* `setu detect --5g rules`, unless there is a file of that name. */
bool detect_rules_wanted(const struct cli *c);
int detect_rules_print(struct cli *c);

/* ---- collections that live ------------------------------------------------------------------ */

const char *detect_live_usage(const struct cli *c); /* what is wrong about --live, or NULL */
/* *out: NULL without --live. */
bool detect_live_start(struct cli_feeds *f, struct sensor_live **out, struct err *e) BASE_CHECKED;

/* ---- summary ------------------------------------------------------------------------------ */

/* What was seen, by indicator. */
struct detect_summary;
struct detect_summary *detect_summary_new(struct err *e);
void detect_summary_free(struct detect_summary *s); /* NULL is allowed */
/* False without memory. */
bool detect_summary_add(struct detect_summary *s, const struct sensor_alert *a) BASE_CHECKED;
/* Appends a line of JSON for each, what was seen most first. */
void detect_summary_put(struct detect_summary *s, struct buf *b);

/* ---- indicators that are found too often ---------------------------------------------------- */

/* `share` as it was given, from 0 to 1. */
struct detect_mute;
struct detect_mute *detect_mute_new(struct str share, struct err *e);
void detect_mute_free(struct detect_mute *m); /* NULL is allowed */
/* Counts the alert; is it one of a muted indicator? Those of one input come in order. */
bool detect_mute_is(struct detect_mute *m, const struct sensor_alert *a);
/* Names those that were muted, a line each on stderr. */
void detect_mute_tell(const struct detect_mute *m, const char *command);

/* ---- where the next run goes on ------------------------------------------------------------- */

/* A file that is absent is none yet; NULL when one cannot be read, or is none. `at_end`: nothing is
 * told before, so it is written then alone. Without a name it is of this run, and not written. */
struct detect_checkpoint;
struct detect_checkpoint *detect_checkpoint_open(struct str file, bool at_end, struct err *e);
void detect_checkpoint_free(struct detect_checkpoint *k); /* NULL is allowed */
/* Folders are followed: a text that was told under one name is not told again as the text of a file
 * that sensor_is_rotated of it, copied or packed. It is known by its beginning, and by what stands
 * before where it was told. */
void detect_checkpoint_texts(struct detect_checkpoint *k);
/* As the callbacks of struct sensor_scan. */
void detect_checkpoint_moved(struct detect_checkpoint *k, struct str from, struct str to);
void detect_checkpoint_comes(struct detect_checkpoint *k, struct str input, int fd);
void detect_checkpoint_begin(struct detect_checkpoint *k, struct str input, int fd, bool later,
                             struct sensor_place *from);
bool detect_checkpoint_told(struct detect_checkpoint *k, struct str input,
                            const struct sensor_place *upto, struct err *e) BASE_CHECKED;
/* A file that was read under the name of `input`, not to its end, or was to be, and has another
 * name in the same folder now; each is told of once. Until it was read and
 * detect_checkpoint_caught_up says so, it is kept as one that had the name: a run that dies
 * meanwhile leaves that to the next. */
bool detect_checkpoint_renamed(struct detect_checkpoint *k, const char *input,
                               char out[LIMIT_PATH_BYTES]);
void detect_checkpoint_caught_up(struct detect_checkpoint *k);
/* Writes it where that was not done for a while; detect_checkpoint_write does at once. */
bool detect_checkpoint_settle(struct detect_checkpoint *k, struct err *e) BASE_CHECKED;
bool detect_checkpoint_write(struct detect_checkpoint *k, struct err *e) BASE_CHECKED;

/* ---- syslog -------------------------------------------------------------------------------- */

/* ERR_USAGE when --syslog says something else than addresses. */
bool detect_syslog_check(const struct cli *c, struct err *e) BASE_CHECKED;
/* Listens where --syslog says, which was checked, until `s` stops it. *lost: not everything that
 * came was looked at. What it heard is told on stderr. */
bool detect_syslog(const struct cli *c, const struct sensor_scan *s, bool *lost,
                   struct err *e) BASE_CHECKED;

/* Of sightings that are kept with what was told, in one file, so that neither is there without the
 * other: takes those that a run left behind into `s`, and keeps what is in it from now on. */
bool detect_checkpoint_restore(struct detect_checkpoint *k, struct sensor_sightings *s,
                               struct err *e) BASE_CHECKED;
/* Those were handed over: keeps those of `s` in their place, NULL for none at the end, and writes
 * that down. */
bool detect_checkpoint_sightings(struct detect_checkpoint *k, const struct sensor_sightings *s,
                                 struct err *e) BASE_CHECKED;

/* ---- sightings ------------------------------------------------------------------------------ */

struct detect_sightings {
    struct cli *c;
    const struct peer_endpoint *how;
    struct sensor_target *target;         /* NULL: nobody was reached yet */
    struct sensor_sightings *seen;        /* NULL: they are not asked for */
    struct detect_checkpoint *checkpoint; /* where they are kept meanwhile, or NULL */
    int64_t window_us, window_ends_us;    /* monotonic; 0: they are told at the end */
    bool failed;                          /* something was not taken */
};
/* Opens the way to whom --sightings names. */
bool detect_sightings_open(struct detect_sightings *d, struct err *e) BASE_CHECKED;
/* Starts counting, with what a run left behind that was killed. `checkpoint` may be NULL. */
bool detect_sightings_begin(struct detect_sightings *d, struct detect_checkpoint *checkpoint,
                            struct err *e) BASE_CHECKED;
/* Hands over what was seen when the time has come; messages as cli_fail. */
void detect_sightings_window(struct detect_sightings *d);
/* The same at the end. */
bool detect_sightings_tell(struct detect_sightings *d, struct err *e) BASE_CHECKED;
void detect_sightings_end(struct detect_sightings *d);

/* ---- indexes ------------------------------------------------------------------------------ */

/* If indicators or rules are to be looked for, not only an index to be made. */
bool detect_looks(const struct cli *c);
/* Keeps the indexes that --index asks for, of every input; messages as cli_fail. False when one
 * could not be made. */
bool detect_index(const struct cli *c);

#endif
